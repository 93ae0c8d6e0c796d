//! Claims about processes.

use hola_base::text;
use hola_lab::metric::Metric::{
    ClientsHeld, CpuPerRequest, CrowdGoodput, GoodPerS, OthersFailed, SharedOperation, SpawnTime,
};

use super::Expect::{Above, Below};
use super::decide::{all, any, by_part, parts};
use super::{
    CHEAPER, CROWD, Claim, Expect, FORK, HALF_MORE, LevelKey, MORE, NEW, ONE_CPU, TENTH_MORE,
    THREADS, TWO_CPUS,
};
use crate::analysis::Analysis;

const SPAWN: LevelKey<'static> = LevelKey::new("spawn", "2000 in turn");
const BALLAST: LevelKey<'static> = LevelKey::new("ballast", "new, 20/s");

pub(super) const PARALLEL: Claim = Claim {
    id: "process-parallel",
    statement: text(
        "Processes give true parallelism; threads do not.",
        "Los procesos dan paralelismo real; los hilos, no.",
    ),
    why: text(
        "The saying comes from interpreters with a global lock, where only one thread runs at a \
         time. Threads of the operating system have no such lock: the scheduler puts them on any \
         core, as it does processes. So a pair in Python is measured beside the pair in Rust. \
         Parallel is taken to mean half as much goodput again from a second CPU, with requests \
         that compute: half of what it could give.",
        "El dicho viene de los intérpretes con un cerrojo global, en los que solo se ejecuta un \
         hilo a la vez. Los hilos del sistema operativo no tienen tal cerrojo: el planificador \
         los pone en cualquier núcleo, igual que a los procesos. Por eso se mide una pareja en \
         Python además de la pareja en Rust. Por paralelo se entiende la mitad más de \
         rendimiento útil con una segunda CPU, con peticiones que calculan: la mitad de lo que \
         podría dar.",
    ),
    experiments: &["scaling"],
    servers: &[
        "fork-per-client",
        "thread-per-client",
        "python-processes",
        "python-threads",
    ],
    decide: |analysis| {
        let findings = |processes, threads| {
            [
                analysis.second_cpu(processes, HALF_MORE),
                analysis.second_cpu(threads, Below(1.5)),
            ]
        };
        by_part(parts! {
            "threads of the operating system", "hilos del sistema operativo" => findings(FORK, THREADS);
            "Python with its lock", "Python con su cerrojo" => findings("python-processes", "python-threads");
        })
    },
    left_out: text(
        "More than two CPUs; interpreters built without their lock.",
        "Más de dos CPU; intérpretes construidos sin su cerrojo.",
    ),
};

pub(super) const SCALES: Claim = Claim {
    id: "process-scales",
    statement: text(
        "Processes suit heavy computation better than threads.",
        "Los procesos se adaptan mejor que los hilos al cálculo intensivo.",
    ),
    why: text(
        "Both are scheduled alike, so a computation should cost the same in either. Better is \
         taken to mean a twentieth more goodput from the same CPUs, or a twentieth less CPU per \
         request: beyond the margin within which they are called the same.",
        "Ambos se planifican igual, así que un cálculo debería costar lo mismo en uno que en \
         otro. Por mejor se entiende una vigésima parte más de rendimiento útil con las mismas \
         CPU, o una vigésima parte menos de CPU por petición: más que el margen dentro del cual \
         se consideran iguales.",
    ),
    experiments: &["scaling", "cpu"],
    servers: &["fork-per-client", "thread-per-client"],
    decide: |analysis| {
        let against =
            |at, metric, threshold| [analysis.against(at, FORK, THREADS, metric, threshold)];
        let heavy = LevelKey::new("cpu", "2 ms of computing");
        by_part(parts! {
            "goodput of one CPU", "el rendimiento útil de una CPU" => against(ONE_CPU, GoodPerS, MORE);
            "goodput of two CPUs", "el rendimiento útil de dos CPU" => against(TWO_CPUS, GoodPerS, MORE);
            "CPU per request", "la CPU por petición" => against(heavy, CpuPerRequest, CHEAPER);
        })
    },
    left_out: text(
        "Programs whose threads wait for a lock or for the allocator; processes would not.",
        "Programas cuyos hilos esperan a un cerrojo o al gestor de memoria; los procesos no lo \
         harían.",
    ),
};

pub(super) const HEAVY: Claim = Claim {
    id: "process-heavy",
    statement: text(
        "A process costs more memory and start-up time than a thread, and the more the bigger \
         its parent.",
        "Un proceso cuesta más memoria y más tiempo de arranque que un hilo, y más cuanto mayor \
         es su padre.",
    ),
    why: text(
        "fork(2) copies the parent's page tables, and each page that either of the two writes to \
         is copied afterwards. A thread shares everything but its stack. Page tables grow with \
         the memory they describe, so a big parent makes fork cost more. More is taken to mean \
         half as much again: of the time to make one, of the memory of an idle client, and of \
         the CPU per request of a server that holds 500 MB against one that holds none.",
        "fork(2) copia las tablas de páginas del padre, y después se copia cada página en la que \
         escriba uno de los dos. Un hilo comparte todo menos su pila. Las tablas de páginas \
         crecen con la memoria que describen, así que con un padre grande fork cuesta más. Por \
         más se entiende la mitad más: del tiempo de crear uno, de la memoria de un cliente \
         inactivo, y de la CPU por petición de un servidor que ocupa 500 MB frente a otro que no \
         los ocupa.",
    ),
    experiments: &["spawn", "idle", "ballast"],
    servers: &["fork-per-client", "thread-per-client"],
    decide: |analysis| {
        let cpu =
            |server, other| analysis.against(BALLAST, server, other, CpuPerRequest, HALF_MORE);
        all([
            analysis.against(SPAWN, FORK, THREADS, SpawnTime, HALF_MORE),
            analysis.memory_against(FORK, THREADS, HALF_MORE),
            cpu("fork-per-client, 500 MB", FORK),
        ])
        .showing([
            cpu("fork-per-client, 50 MB", FORK),
            cpu("thread-per-client, 500 MB", THREADS),
        ])
    },
    left_out: text(
        "posix_spawn(3) and a fresh program per client, which copy no page tables but load a \
         program.",
        "posix_spawn(3) y un programa nuevo por cliente, que no copian tablas de páginas pero \
         cargan un programa.",
    ),
};

pub(super) const SATURATES: Claim = Claim {
    id: "process-saturates",
    statement: text(
        "Thousands of processes saturate the system.",
        "Miles de procesos saturan el sistema.",
    ),
    why: text(
        "Each process takes memory, an entry in the process table and a share of the scheduler's \
         time. With the server's own cap lifted, 64 and more clients keep asking, up to 10,000, \
         until the kernel refuses one or goodput has fallen by half. Saturated is taken to mean \
         either of two: goodput at the most clients is below half of its best, or fewer than \
         half as many clients are served as by an event loop (epoll) on the same machine.",
        "Cada proceso ocupa memoria, una entrada en la tabla de procesos y parte del tiempo del \
         planificador. Con el tope del propio servidor levantado, desde 64 hasta 10 000 clientes \
         no dejan de pedir, hasta que el núcleo rechaza a uno o el rendimiento útil ha caído a \
         la mitad. Por saturado se entiende una de dos cosas: que con el máximo de clientes el \
         rendimiento útil no llegue a la mitad del mejor, o que se atienda a menos de la mitad \
         de los clientes que atiende un bucle de eventos (epoll) en la misma máquina.",
    ),
    experiments: &["crowd"],
    servers: &["fork-per-client", "epoll"],
    decide: |analysis| {
        any([
            analysis.own(CROWD, FORK, CrowdGoodput, Below(0.5)),
            analysis.against(CROWD, FORK, "epoll", ClientsHeld, Below(0.5)),
        ])
        .noting(analysis.limit(CROWD, FORK))
    },
    left_out: text(
        "What else runs on the machine meanwhile, which thousands of processes slow down, too.",
        "Lo demás que se ejecuta en la máquina mientras tanto, que miles de procesos también \
         frenan.",
    ),
};

pub(super) const ISOLATION: Claim = Claim {
    id: "isolation",
    statement: text(
        "A process that dies takes no other client with it; a thread that dies takes all of them.",
        "Un proceso que muere no arrastra a ningún otro cliente; un hilo que muere los arrastra \
         a todos.",
    ),
    why: text(
        "An abort or a segmentation fault ends the process it happens in: one client where a \
         process serves one, all of them where threads share it. A panic that is caught ends \
         neither. So each way of dying is a place of its own: it depends on how. The other \
         clients are watched while one client's handler dies again and again: with a process for \
         each fewer than one request in a hundred may fail, with threads more than half must. \
         Every other model is shown, too.",
        "Un abort o un fallo de segmentación termina el proceso en que ocurre: un cliente donde \
         un proceso atiende a uno, todos donde los hilos lo comparten. Un pánico que se captura \
         no termina ninguno de los dos. Por eso cada forma de morir se decide por separado: \
         depende de cómo. Se observa a los demás clientes mientras el manejador de uno muere una \
         y otra vez: con un proceso para cada uno puede fallar menos de una petición de cada \
         cien, y con hilos tiene que fallar más de la mitad. También se muestran los demás \
         modelos.",
    ),
    experiments: &["crash"],
    servers: &["fork-per-client", "thread-per-client"],
    decide: |analysis| {
        const ALONE: Expect = Below(0.01);
        const WITH_ALL: Expect = Above(0.5);
        let failed = |death, server: &str, threshold| {
            let at = LevelKey::new("crash", death);
            analysis.own(at, server, OthersFailed, threshold)
        };
        let both = |death| [failed(death, FORK, ALONE), failed(death, THREADS, WITH_ALL)];
        let shown = ["panic", "abort", "segv"].into_iter().flat_map(|death| {
            let mut others = analysis.compared(LevelKey::new("crash", death));
            others.retain(|one| ![FORK, THREADS].contains(one));
            others.into_iter().map(move |one| {
                let is_alone = has_processes(analysis, one);
                failed(death, one, if is_alone { ALONE } else { WITH_ALL })
            })
        });
        by_part(parts! {
            "a panic", "un pánico" => both("panic");
            "an abort", "un abort" => both("abort");
            "a segmentation fault", "un fallo de segmentación" => both("segv");
        })
        .showing(shown)
    },
    left_out: text(
        "Faults that do not kill: memory overwritten in a neighbour's data, which threads share \
         and processes do not.",
        "Fallos que no matan: memoria sobrescrita en los datos de un vecino, que los hilos \
         comparten y los procesos no.",
    ),
};

/// Whether a participant serves each client in a process, according to its server card.
fn has_processes(analysis: &Analysis<'_>, participant: &str) -> bool {
    let mut cards = analysis.run().servers.iter();
    cards.any(|card| card.name == participant && card.attention == "process")
}

pub(super) const SHARING: Claim = Claim {
    id: "sharing",
    statement: text(
        "Sharing data between processes needs extra mechanisms, and those cost.",
        "Compartir datos entre procesos exige mecanismos adicionales, y esos cuestan.",
    ),
    why: text(
        "Processes have separate memory, so a counter for all clients has to lie in memory that \
         was set up for sharing before the fork, and a message has to pass through the kernel. \
         Those are mechanisms more to write. Whether they cost is measured by the operation \
         itself, for no load on a server can tell nanoseconds from its noise: two processes add \
         to a counter, or hand a number over a pair of sockets and back, and two threads do the \
         same in their memory, or over a channel. Cost is taken to mean a tenth more time than \
         the threads take, each by itself. Shown besides: what counting adds to a request.",
        "Los procesos tienen memorias separadas, así que un contador para todos los clientes \
         tiene que estar en memoria preparada para compartirse antes del fork, y un mensaje tiene \
         que pasar por el núcleo. Son mecanismos más que escribir. Si cuestan, se mide en la \
         operación misma, porque ninguna carga sobre un servidor distingue nanosegundos de su \
         ruido: dos procesos suman a un contador, o se pasan un número por un par de sockets, ida \
         y vuelta, y dos hilos hacen lo mismo en su memoria, o por un canal. Por costar se \
         entiende una décima parte más de tiempo que los hilos, cada cosa por separado. Se \
         muestra además qué añade contar a una petición.",
    ),
    experiments: &["sharing"],
    servers: &["fork-per-client", "thread-per-client"],
    decide: |analysis| {
        let operation = |level| {
            let at = LevelKey::new("sharing", level);
            [analysis.against(at, FORK, THREADS, SharedOperation, TENTH_MORE)]
        };
        let [greeting, count] = ["greeting", "count"].map(|level| LevelKey::new("sharing", level));
        let models = [FORK, THREADS].into_iter().filter(|_| analysis.has(count));
        let loads =
            models.map(|one| analysis.changed(one, CpuPerRequest, greeting, count, TENTH_MORE));
        by_part(parts! {
            "a counter", "un contador" => operation("counter");
            "a message", "un mensaje" => operation("message");
        })
        .showing(loads)
    },
    left_out: text(
        "The lines that setting it up takes; data with structure, which needs locks that survive \
         the death of their holder; messages larger than a number.",
        "Las líneas que exige prepararlo; datos con estructura, que necesitan cerrojos que \
         sobrevivan a la muerte de quien los tiene; mensajes mayores que un número.",
    ),
};

pub(super) const FORK_VS_THREAD: Claim = Claim {
    id: "fork-vs-thread",
    statement: text(
        "fork costs several times as much as a thread.",
        "fork cuesta varias veces lo que un hilo.",
    ),
    why: text(
        "A new process needs its own page tables and takes a page fault for each page it touches \
         first; a new thread needs a stack. By itself that is a matter of microseconds. Whether \
         it is noticed depends on what else a request costs. Several is taken to mean more than \
         three.",
        "Un proceso nuevo necesita sus propias tablas de páginas y sufre un fallo de página por \
         cada página que toca por primera vez; un hilo nuevo necesita una pila. Por sí solo es \
         cuestión de microsegundos. Que se note depende de qué más cueste una petición. Por \
         varias se entiende más de tres.",
    ),
    experiments: &["spawn", "equal-load"],
    servers: &["fork-per-client", "thread-per-client"],
    decide: |analysis| {
        let times = |at, metric| [analysis.against(at, FORK, THREADS, metric, Above(3.0))];
        by_part(parts! {
            "making one", "crear uno" => times(SPAWN, SpawnTime);
            "a whole request", "una petición entera" => times(NEW, CpuPerRequest);
        })
    },
    left_out: text(
        "Other operating systems, whose fork may cost far more, or not exist.",
        "Otros sistemas operativos, cuyo fork puede costar mucho más, o no existir.",
    ),
};
