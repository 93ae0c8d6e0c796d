//! Claims about threads.

use hola_base::text;
use hola_lab::metric::Metric::{CpuPerRequest, CrowdGoodput, ResponseP99};

use super::Expect::{Above, Below};
use super::decide::{ClaimPart, all, by_part, not_measurable, parts};
use super::{
    CHEAPER, CROWD, Claim, EIGHT_SLOW, Expect, KEEPS_GOODPUT, KEPT, LevelKey, NEW, NONE_SLOW,
    THREADS, TOKIO,
};

/// Twice as much or more is no longer fine.
const FINE: Expect = Below(2.0);

pub(super) const NO_WAIT: Claim = Claim {
    id: "threads-no-wait",
    statement: text(
        "With a thread per client, no client waits for another.",
        "Con un hilo por cliente, ningún cliente espera a otro.",
    ),
    why: text(
        "A thread that waits for its client blocks alone: the scheduler gives the CPU to the \
         others. So eight slow clients, which hardly use the CPU, should not slow down fast ones \
         that come at a planned rate: they keep nine tenths of their goodput, and their 99th \
         percentile stays below twice what it was. The iterative server is the counter-example: \
         it must lose more than half of its goodput, or the slow clients were not slow.",
        "Un hilo que espera a su cliente se bloquea solo: el planificador cede la CPU a los \
         demás. Por eso ocho clientes lentos, que apenas usan la CPU, no deberían frenar a los \
         rápidos, que llegan a un ritmo planificado: conservan nueve décimas partes de su \
         rendimiento útil y su percentil 99 no llega al doble. El servidor iterativo es el \
         contraejemplo: tiene que perder más de la mitad de su rendimiento útil, o los clientes \
         lentos no lo eran.",
    ),
    experiments: &["slow-client"],
    servers: &["thread-per-client", "iterative"],
    decide: |analysis| {
        all([
            analysis.goodput_kept(THREADS, NONE_SLOW, EIGHT_SLOW, KEEPS_GOODPUT),
            analysis.changed(THREADS, ResponseP99, NONE_SLOW, EIGHT_SLOW, FINE),
            analysis.goodput_kept("iterative", NONE_SLOW, EIGHT_SLOW, Below(0.5)),
        ])
    },
    left_out: text(
        "More slow clients than the server allows threads; then the next client does wait.",
        "Más clientes lentos que hilos permite el servidor; entonces el siguiente sí espera.",
    ),
};

pub(super) const LIGHT: Claim = Claim {
    id: "thread-light",
    statement: text(
        "A thread per client is fine for light tasks.",
        "Un hilo por cliente es adecuado para tareas ligeras.",
    ),
    why: text(
        "Creating a thread takes some tens of microseconds. Where a request does little, that is \
         a large part of its cost, but the cost may still be small. Compared is the greeting, at \
         the same rate for all, with one named event loop (epoll). Fine is taken to mean: less \
         than twice its CPU per request, and less than twice its 99th percentile.",
        "Crear un hilo cuesta unas decenas de microsegundos. Cuando una petición hace poco, eso \
         es buena parte de su coste, aunque el coste puede seguir siendo pequeño. Se compara el \
         saludo, al mismo ritmo para todos, con un bucle de eventos concreto (epoll). Por \
         adecuado se entiende: menos del doble de su CPU por petición y menos del doble de su \
         percentil 99.",
    ),
    experiments: &["equal-load"],
    servers: &["thread-per-client", "epoll"],
    decide: |analysis| {
        let findings = |at| {
            let against = |metric| analysis.against(at, THREADS, "epoll", metric, FINE);
            [CpuPerRequest, ResponseP99].map(against)
        };
        by_part(parts! {
            "new connections", "conexiones nuevas" => findings(NEW);
            "kept connections", "conexiones que permanecen" => findings(KEPT);
        })
    },
    left_out: text(
        "Handlers that do real work: the more they do, the smaller the share of the thread.",
        "Manejadores que hacen trabajo de verdad: cuanto más hacen, menor es la parte del hilo.",
    ),
};

pub(super) const COST: Claim = Claim {
    id: "thread-cost",
    statement: text(
        "Every client costs a thread, in memory and CPU.",
        "Cada cliente cuesta un hilo, en memoria y CPU.",
    ),
    why: text(
        "A thread has a stack and an entry in the scheduler, and it is created for each client, \
         where an event loop keeps only the buffers. Costing is taken to mean more than twice the \
         memory of a task per idle client, the kernel's included, and a quarter more CPU per \
         request than the iterative server.",
        "Un hilo tiene una pila y una entrada en el planificador, y se crea para cada cliente, \
         mientras que un bucle de eventos solo guarda los búferes. Por costar se entiende más del \
         doble de memoria que una tarea por cliente inactivo, con la del núcleo, y una cuarta \
         parte más de CPU por petición que el servidor iterativo.",
    ),
    experiments: &["idle", "equal-load"],
    servers: &["thread-per-client", "tokio", "iterative"],
    decide: |analysis| {
        all([
            analysis.memory_against(THREADS, TOKIO, Above(2.0)),
            analysis.against(NEW, THREADS, "iterative", CpuPerRequest, Above(1.25)),
        ])
    },
    left_out: text(
        "Stacks that are used deeply: here a thread touches a few pages of its own.",
        "Pilas que se usan a fondo: aquí un hilo toca unas pocas páginas de la suya.",
    ),
};

pub(super) const COLLAPSE: Claim = Claim {
    id: "thread-collapse",
    statement: text(
        "With thousands of clients a server with a thread for each collapses.",
        "Con miles de clientes, un servidor con un hilo para cada uno se colapsa.",
    ),
    why: text(
        "The more threads are ready to run, the longer each waits for its turn, and the less of \
         what it used lately is still in the caches. Up to 10,000 clients keep asking, with as \
         many threads allowed. Collapse is taken to mean that goodput at the most clients is \
         below half of its best.",
        "Cuantos más hilos están listos para ejecutarse, más espera cada uno su turno, y menos \
         queda en las cachés de lo que usó hace poco. Hasta 10 000 clientes no dejan de pedir, \
         con otros tantos hilos permitidos. Por colapso se entiende que el rendimiento útil con \
         el máximo de clientes no llegue a la mitad del mejor.",
    ),
    experiments: &["crowd"],
    servers: &["thread-per-client", "epoll"],
    decide: |analysis| {
        let goodput = |model| analysis.own(CROWD, model, CrowdGoodput, Below(0.5));
        all([goodput(THREADS)])
            .showing([goodput("epoll")])
            .noting(analysis.limit(CROWD, THREADS))
    },
    left_out: text(
        "More than 10,000 threads, and machines with many cores, where threads wait for each \
         other's locks in the kernel.",
        "Más de 10 000 hilos, y máquinas con muchos núcleos, donde unos hilos esperan a los \
         cerrojos de otros dentro del núcleo.",
    ),
};

pub(super) const SELECTORS: Claim = Claim {
    id: "selectors-scale",
    statement: text(
        "Accepting through a selector makes a threaded server scale better.",
        "Aceptar mediante un selector hace que un servidor con hilos escale mejor.",
    ),
    why: text(
        "A selector lets one thread wait for many sockets. Where the listener is the only socket \
         waited for, it adds a system call and saves none: accept(2) waits as well. Better is \
         taken to mean a twentieth less CPU per request at the same rate, the margin within \
         which costs are called the same.",
        "Un selector permite que un hilo espere a muchos sockets. Si el único socket por el que \
         se espera es el de escucha, añade una llamada al sistema y no ahorra ninguna: accept(2) \
         espera igual de bien. Por mejor se entiende una vigésima parte menos de CPU por \
         petición al mismo ritmo, el margen dentro del cual los costes se consideran iguales.",
    ),
    experiments: &["equal-load"],
    servers: &["selector-threads", "thread-per-client"],
    decide: |analysis| {
        let part = |level| {
            let at = LevelKey::new("equal-load", level);
            let found = analysis.against(at, "selector-threads", THREADS, CpuPerRequest, CHEAPER);
            ClaimPart::new(text(level, level), [found])
        };
        by_part(["new, 200/s", "new, 1000/s", NEW.level, "new, 4000/s"].map(part))
    },
    left_out: text(
        "Servers with several listeners, where a selector saves a thread for each.",
        "Servidores con varios sockets de escucha, donde un selector ahorra un hilo por cada uno.",
    ),
};

pub(super) const SIMPLE: Claim = Claim {
    id: "thread-simple",
    statement: text(
        "A thread per client is simple to write and to read; a hand-made selector loop is not.",
        "Un hilo por cliente es fácil de escribir y de leer; un bucle con selector hecho a mano, \
         no.",
    ),
    why: text(
        "A thread's code says what happens to one client, from top to bottom; the operating \
         system does the waiting. A loop has to remember how far each client got, and to keep \
         deadlines by itself. Lines of code can be counted, and the pages of the models read \
         side by side, but a count changes whenever a function moves: what is simple, only \
         readers can say.",
        "El código de un hilo cuenta lo que le pasa a un cliente, de principio a fin; de esperar \
         se ocupa el sistema operativo. Un bucle tiene que recordar hasta dónde llegó cada \
         cliente y llevar él mismo los plazos. Las líneas de código se pueden contar, y las \
         páginas de los modelos leer una al lado de otra, pero la cuenta cambia en cuanto se \
         mueve una función: qué es fácil solo lo pueden decir los lectores.",
    ),
    experiments: &[],
    servers: &[],
    decide: |_| {
        not_measurable(text(
            "It needs readers: how long people take to write and to understand either. No \
             load on a server shows it.",
            "Hacen falta lectores: cuánto tarda la gente en escribir y entender uno u otro. \
             Ninguna carga sobre un servidor lo muestra.",
        ))
    },
    left_out: text("All of it.", "Todo."),
};

pub(super) const DEBUG: Claim = Claim {
    id: "debug-hard",
    statement: text(
        "Concurrent programs are harder to debug.",
        "Los programas concurrentes son más difíciles de depurar.",
    ),
    why: text(
        "What several flows of control do depends on the order the scheduler gives them, so a \
         fault may appear in one run and not in the next. Shared memory adds data races. \
         Processes and single-threaded loops avoid the races, not the orders.",
        "Lo que hacen varios flujos de control depende del orden que les dé el planificador, así \
         que un fallo puede aparecer en una ejecución y no en la siguiente. La memoria \
         compartida añade las condiciones de carrera. Los procesos y los bucles de un solo hilo \
         evitan las carreras, pero no los órdenes.",
    ),
    experiments: &[],
    servers: &[],
    decide: |_| {
        not_measurable(text(
            "The effort of finding faults needs people and faults; no load on a server shows it.",
            "El esfuerzo de encontrar fallos requiere personas y fallos; ninguna carga sobre \
             un servidor lo muestra.",
        ))
    },
    left_out: text("All of it.", "Todo."),
};
