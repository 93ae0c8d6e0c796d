//! What is said of threads.

use hola_servers::models::Bilingual;

use super::names::{
    AT_HALF_CAPACITY, CHURN, CLIENTS_MOST, CPU_US_PER_REQUEST, GOOD_PER_S, IDLE, OVERLOAD,
    PSS_KIB_PER_CLIENT, RESPONSE_P99_US, SLOW_CLIENT, SLOW_EIGHT, SLOW_NONE,
};
use super::rule::{At, Expect, Levels, Over, Rule, SourceTest, Test};
use super::{Claim, Source};

const THREADS: &[&str] = &["thread-per-client"];

/// Slow clients are there.
const SLOW: Levels = Levels::Only(&[At::Named(SLOW_EIGHT)]);

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        id: "threads-no-wait",
        statement: Bilingual {
            en: "With a thread per client, no client waits for another.",
            es: "Con un hilo por cliente, ningún cliente espera a otro.",
        },
        why: Bilingual {
            en: "A thread that waits for its client blocks alone: the scheduler gives the CPU to the others. So eight slow \
                 clients, which hardly use the CPU, should not be felt by the fast ones. The iterative server is the \
                 counter-example: it stands still until the slow client has finished.",
            es: "Un hilo que espera a su cliente se bloquea solo: el planificador cede la CPU a los demás. Por eso ocho \
                 clientes lentos, que apenas usan la CPU, no deberían notarse en los rápidos. El servidor iterativo es el \
                 contraejemplo: se queda parado hasta que el cliente lento termina.",
        },
        source: Source::Course,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &SLOW_CLIENT,
                levels: SLOW,
                figure: &GOOD_PER_S,
                models: THREADS,
                over: Over::Level(At::Named(SLOW_NONE)),
                expect: Expect::MoreThan(0.8),
            }),
            Rule::Test(Test {
                experiment: &SLOW_CLIENT,
                levels: SLOW,
                figure: &RESPONSE_P99_US,
                models: THREADS,
                over: Over::Level(At::Named(SLOW_NONE)),
                expect: Expect::LessThan(2.0),
            }),
            Rule::Test(Test {
                experiment: &SLOW_CLIENT,
                levels: SLOW,
                figure: &GOOD_PER_S,
                models: &["iterative"],
                over: Over::Level(At::Named(SLOW_NONE)),
                expect: Expect::LessThan(0.5),
            }),
        ]),
        not_measured: Bilingual {
            en: "More slow clients than the server admits threads; then the next one waits after all.",
            es: "Más clientes lentos que hilos admite el servidor; entonces el siguiente sí espera.",
        },
    },
    Claim {
        id: "thread-light",
        statement: Bilingual {
            en: "A thread per client is fine for light tasks.",
            es: "Un hilo por cliente es adecuado para tareas ligeras.",
        },
        why: Bilingual {
            en: "Creating a thread takes some tens of microseconds. Where a request does little, that is a large part of \
                 the bill, but the bill itself may still be small. Fine is taken to mean: no more than twice the CPU of \
                 the best model, and no more than twice its slowest hundredth of responses at half load.",
            es: "Crear un hilo cuesta unas decenas de microsegundos. Cuando una petición hace poco, eso es buena parte de \
                 la cuenta, aunque la cuenta puede seguir siendo pequeña. Por adecuado se entiende: no más del doble de CPU \
                 que el mejor modelo, ni más del doble en su centésima de respuestas más lentas a media carga.",
        },
        source: Source::Course,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::All,
                figure: &CPU_US_PER_REQUEST,
                models: THREADS,
                over: Over::Best,
                expect: Expect::LessThan(2.0),
            }),
            Rule::Test(Test {
                experiment: &OVERLOAD,
                levels: Levels::Only(&[At::Named(AT_HALF_CAPACITY)]),
                figure: &RESPONSE_P99_US,
                models: THREADS,
                over: Over::Best,
                expect: Expect::LessThan(2.0),
            }),
        ]),
        not_measured: Bilingual {
            en: "Handlers that do real work: the more they do, the less the thread weighs.",
            es: "Manejadores que hacen trabajo de verdad: cuanto más hacen, menos pesa el hilo.",
        },
    },
    Claim {
        id: "thread-overhead",
        statement: Bilingual {
            en: "Every client costs a thread, in memory and CPU, and many of them bring the server down.",
            es: "Cada cliente cuesta un hilo, en memoria y CPU, y con muchos el servidor se viene abajo.",
        },
        why: Bilingual {
            en: "A thread has a stack and a place in the scheduler, and two switches for every wait. An event loop keeps \
                 only the buffers of a client. If the costs grew faster than the work, goodput would fall as clients come.",
            es: "Un hilo tiene una pila y un lugar en el planificador, y dos cambios de contexto por cada espera. Un bucle \
                 de eventos solo guarda los búferes del cliente. Si los costes crecieran más deprisa que el trabajo, el \
                 rendimiento útil caería al llegar clientes.",
        },
        source: Source::Course,
        rule: Rule::Each(&[
            Rule::Test(Test {
                experiment: &IDLE,
                levels: Levels::All,
                figure: &PSS_KIB_PER_CLIENT,
                models: THREADS,
                over: Over::Model("tokio"),
                expect: Expect::MoreThan(2.0),
            }),
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::All,
                figure: &CPU_US_PER_REQUEST,
                models: THREADS,
                over: Over::Model("iterative"),
                expect: Expect::MoreThan(1.25),
            }),
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::Only(&[At::Last]),
                figure: &GOOD_PER_S,
                models: THREADS,
                over: Over::Level(At::First),
                expect: Expect::LessThan(0.5),
            }),
        ]),
        not_measured: Bilingual {
            en: "Thousands of threads that are all busy: the cap on clients and the generator's share of the machine end \
                 the series before.",
            es: "Miles de hilos ocupados a la vez: el tope de clientes y la parte de la máquina que usa el generador \
                 acaban antes la serie.",
        },
    },
    Claim {
        id: "thread-simple",
        statement: Bilingual {
            en: "A thread per client is simple to write and to read; a hand-made selector loop is not.",
            es: "Un hilo por cliente es fácil de escribir y de leer; un bucle con selector hecho a mano, no.",
        },
        why: Bilingual {
            en: "A thread's code says what happens to one client, from top to bottom; waiting is done by the operating \
                 system. A loop has to remember where each client was, and to keep deadlines and places by itself. Counted \
                 are lines and branches of each model's own source, comments and tests left out, with the loop under a \
                 selector included. Simple is taken to mean: less than half of both.",
            es: "El código de un hilo cuenta lo que le pasa a un cliente, de principio a fin; de esperar se ocupa el \
                 sistema operativo. Un bucle tiene que recordar dónde estaba cada cliente y llevar él mismo plazos y \
                 puestos. Se cuentan las líneas y las bifurcaciones del código propio de cada modelo, sin comentarios ni \
                 pruebas, y con el bucle que hay bajo el selector. Por fácil se entiende: menos de la mitad de ambas.",
        },
        source: Source::Course,
        rule: Rule::Source(SourceTest {
            model: "thread-per-client",
            over: "epoll",
            expect: Expect::LessThan(0.5),
        }),
        not_measured: Bilingual {
            en: "How long people take to write and to understand either. That needs people.",
            es: "Cuánto tarda la gente en escribir y entender uno u otro. Para eso hacen falta personas.",
        },
    },
    Claim {
        id: "debug-hard",
        statement: Bilingual {
            en: "Concurrent programs are harder to debug.",
            es: "Los programas concurrentes son más difíciles de depurar.",
        },
        why: Bilingual {
            en: "What several flows of control do depends on the order the scheduler gives them, so a fault may show in one \
                 run and hide in the next. Sharing memory adds data races to that. Processes and single-threaded loops \
                 avoid the races, not the orders.",
            es: "Lo que hacen varios flujos de control depende del orden que les dé el planificador, así que un fallo puede \
                 verse en una ejecución y esconderse en la siguiente. La memoria compartida añade las condiciones de \
                 carrera. Los procesos y los bucles de un solo hilo evitan las carreras, pero no los órdenes.",
        },
        source: Source::Course,
        rule: Rule::NotMeasured(Bilingual {
            en: "the effort of finding faults needs people and faults, and no load on a server shows it",
            es: "el esfuerzo de encontrar fallos requiere personas y fallos, y ninguna carga sobre un servidor lo muestra",
        }),
        not_measured: Bilingual {
            en: "All of it.",
            es: "Todo.",
        },
    },
    Claim {
        id: "selectors-scale",
        statement: Bilingual {
            en: "Accepting through a selector makes a threaded server scale better.",
            es: "Aceptar mediante un selector hace que un servidor con hilos escale mejor.",
        },
        why: Bilingual {
            en: "A selector lets one thread wait for many sockets. Where the only socket waited for is the listener, it \
                 adds a system call and takes nothing away: accept alone waits as well. Better is taken to mean a tenth \
                 less CPU per request.",
            es: "Un selector permite que un hilo espere a muchos sockets. Si el único socket por el que se espera es el de \
                 escucha, añade una llamada al sistema y no ahorra nada: accept espera igual de bien. Por mejor se entiende \
                 una décima parte menos de CPU por petición.",
        },
        source: Source::Course,
        rule: Rule::Test(Test {
            experiment: &CHURN,
            levels: Levels::All,
            figure: &CPU_US_PER_REQUEST,
            models: &["selector-threads"],
            over: Over::Model("thread-per-client"),
            expect: Expect::LessThan(0.9),
        }),
        not_measured: Bilingual {
            en: "Servers with several listeners, where a selector saves a thread for each.",
            es: "Servidores con varios sockets de escucha, donde un selector ahorra un hilo por cada uno.",
        },
    },
    Claim {
        id: "async-scales",
        statement: Bilingual {
            en: "Async I/O holds very many connections with fewer resources than threads.",
            es: "La E/S asíncrona mantiene muchísimas conexiones con menos recursos que los hilos.",
        },
        why: Bilingual {
            en: "A task that waits is a small object on the heap; a thread that waits keeps its stack and its entry in the \
                 kernel. The slope of memory over idle clients shows the difference, and ten thousand clients (the old C10K \
                 mark) can be held on an ordinary machine. Fewer is taken to mean: less than half the memory.",
            es: "Una tarea que espera es un objeto pequeño en el montón; un hilo que espera conserva su pila y su entrada \
                 en el núcleo. La pendiente de la memoria frente a los clientes inactivos muestra la diferencia, y diez mil \
                 clientes (el viejo listón C10K) caben en una máquina corriente. Por menos se entiende: menos de la mitad \
                 de memoria.",
        },
        source: Source::Course,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &IDLE,
                levels: Levels::All,
                figure: &PSS_KIB_PER_CLIENT,
                models: &["tokio"],
                over: Over::Model("thread-per-client"),
                expect: Expect::LessThan(0.5),
            }),
            Rule::Test(Test {
                experiment: &IDLE,
                levels: Levels::All,
                figure: &CLIENTS_MOST,
                models: &["tokio"],
                over: Over::Nothing,
                expect: Expect::MoreThan(10_000.0),
            }),
        ]),
        not_measured: Bilingual {
            en: "Hundreds of thousands of connections: this host's descriptors end before, and the slope beyond them is an \
                 extrapolation. Kernel memory of the sockets, which every model pays alike.",
            es: "Cientos de miles de conexiones: los descriptores de esta máquina se acaban antes, y la pendiente más allá \
                 es una extrapolación. La memoria de los sockets en el núcleo, que todos los modelos pagan por igual.",
        },
    },
];
