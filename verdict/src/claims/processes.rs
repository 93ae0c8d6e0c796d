//! What is said of processes.

use hola_servers::models::Bilingual;

use super::names::{
    BALLAST, CHURN, CLIENTS_MOST, CPU, CPU_US_PER_REQUEST, CRASH, CRASH_ABORT, CRASH_SEGV,
    GOOD_PER_S, IDLE, OTHERS_FAILED_SHARE, PSS_KIB_PER_CLIENT, RECOVERY_US, SCALING, SHARED_COUNT,
    SHARED_NOTHING, SHARING, SPAWN, SPAWN_US,
};
use super::rule::{At, Expect, Levels, Over, Rule, Test};
use super::{Claim, Source};

const FORK: &[&str] = &["fork-per-client"];
const THREADS: &[&str] = &["thread-per-client"];

/// Deaths that no handler survives: the kernel ends the whole process.
const WHOLE_PROCESS: Levels = Levels::Only(&[At::Named(CRASH_ABORT), At::Named(CRASH_SEGV)]);

/// How much more a second CPU has to give to be called parallel: half of what it could.
const SPEED_UP: f64 = 1.5;

/// What the last level of `scaling` gains on the first.
const fn sped_up(models: &'static [&'static str], expect: Expect) -> Rule {
    Rule::Test(Test {
        experiment: &SCALING,
        levels: Levels::Only(&[At::Last]),
        figure: &GOOD_PER_S,
        models,
        over: Over::Level(At::First),
        expect,
    })
}

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        id: "process-parallel",
        statement: Bilingual {
            en: "Processes give true parallelism; threads do not.",
            es: "Los procesos dan paralelismo real; los hilos, no.",
        },
        why: Bilingual {
            en: "The saying comes from interpreters with a global lock, where only one thread runs at a time. Threads of \
                 the operating system have no such lock: the scheduler puts them on any core, as it does processes. So a \
                 pair in Python is asked beside the pair in Rust. Parallel is taken to mean: half as much again from a \
                 second CPU, with requests that compute.",
            es: "El dicho viene de los intérpretes con un cerrojo global, en los que solo se ejecuta un hilo a la vez. Los \
                 hilos del sistema operativo no tienen tal cerrojo: el planificador los pone en cualquier núcleo, igual que \
                 a los procesos. Por eso se pregunta a una pareja en Python además de a la pareja en Rust. Por paralelo se \
                 entiende: la mitad más con una segunda CPU, con peticiones que calculan.",
        },
        source: Source::Course,
        rule: Rule::Each(&[
            Rule::All(&[
                sped_up(FORK, Expect::MoreThan(SPEED_UP)),
                sped_up(THREADS, Expect::LessThan(SPEED_UP)),
            ]),
            Rule::All(&[
                sped_up(&["python-processes"], Expect::MoreThan(SPEED_UP)),
                sped_up(&["python-threads"], Expect::LessThan(SPEED_UP)),
            ]),
        ]),
        not_measured: Bilingual {
            en: "More CPUs than the machine has; interpreters built without their lock.",
            es: "Más CPU de las que tiene la máquina; intérpretes construidos sin su cerrojo.",
        },
    },
    Claim {
        id: "process-scales",
        statement: Bilingual {
            en: "Processes suit high concurrency and heavy computation better than threads.",
            es: "Los procesos se adaptan mejor que los hilos a la alta concurrencia y al cálculo intensivo.",
        },
        why: Bilingual {
            en: "Both are scheduled alike, so computing should cost the same in either. Starting a process costs more than \
                 starting a thread, which weighs most where clients come and go. Better is taken to mean a tenth less CPU \
                 per request.",
            es: "Ambos se planifican igual, así que calcular debería costar lo mismo en uno que en otro. Iniciar un proceso \
                 cuesta más que iniciar un hilo, y eso pesa sobre todo cuando los clientes van y vienen. Por mejor se \
                 entiende una décima parte menos de CPU por petición.",
        },
        source: Source::Course,
        rule: Rule::Each(&[
            Rule::Test(Test {
                experiment: &CPU,
                levels: Levels::All,
                figure: &CPU_US_PER_REQUEST,
                models: FORK,
                over: Over::Model("thread-per-client"),
                expect: Expect::LessThan(0.9),
            }),
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::Only(&[At::Last]),
                figure: &CPU_US_PER_REQUEST,
                models: FORK,
                over: Over::Model("thread-per-client"),
                expect: Expect::LessThan(0.9),
            }),
        ]),
        not_measured: Bilingual {
            en: "Programs whose threads fight for a lock or for the allocator; processes would not.",
            es: "Programas cuyos hilos compiten por un cerrojo o por el gestor de memoria; los procesos no lo harían.",
        },
    },
    Claim {
        id: "process-heavy",
        statement: Bilingual {
            en: "A process costs more memory and start-up time than a thread, and the more the bigger its parent.",
            es: "Un proceso cuesta más memoria y más tiempo de arranque que un hilo, y más cuanto mayor es su padre.",
        },
        why: Bilingual {
            en: "fork(2) copies the parent's page tables, and each page that either side writes to is copied afterwards. A \
                 thread shares everything but its stack. Page tables grow with the memory they describe, so a big parent \
                 makes fork dear. More is taken to mean half as much again.",
            es: "fork(2) copia las tablas de páginas del padre, y después se copia cada página en la que escriba uno de los \
                 dos. Un hilo comparte todo menos su pila. Las tablas de páginas crecen con la memoria que describen, así \
                 que un padre grande encarece fork. Por más se entiende la mitad más.",
        },
        source: Source::Course,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &SPAWN,
                levels: Levels::All,
                figure: &SPAWN_US,
                models: FORK,
                over: Over::Model("thread-per-client"),
                expect: Expect::MoreThan(1.5),
            }),
            Rule::Test(Test {
                experiment: &IDLE,
                levels: Levels::All,
                figure: &PSS_KIB_PER_CLIENT,
                models: FORK,
                over: Over::Model("thread-per-client"),
                expect: Expect::MoreThan(1.5),
            }),
            Rule::Test(Test {
                experiment: &BALLAST,
                levels: Levels::Only(&[At::Last]),
                figure: &CPU_US_PER_REQUEST,
                models: FORK,
                over: Over::Level(At::First),
                expect: Expect::MoreThan(1.5),
            }),
        ]),
        not_measured: Bilingual {
            en: "posix_spawn(3) and a fresh program per client, which copy no page tables but load a program.",
            es: "posix_spawn(3) y un programa nuevo por cliente, que no copian tablas de páginas pero cargan un programa.",
        },
    },
    Claim {
        id: "process-saturates",
        statement: Bilingual {
            en: "Very many processes saturate the system.",
            es: "Muchísimos procesos saturan el sistema.",
        },
        why: Bilingual {
            en: "Each process takes memory, a place in the process table and a share of the scheduler's time. If these grow \
                 faster than the work, goodput falls while clients are added, or clients are refused long before other \
                 models refuse any. Saturated is taken to mean a fifth less goodput than with a single client, or a tenth \
                 of the clients that tasks hold.",
            es: "Cada proceso ocupa memoria, una entrada en la tabla de procesos y parte del tiempo del planificador. Si \
                 eso crece más deprisa que el trabajo, el rendimiento útil cae al añadir clientes, o se rechazan clientes \
                 mucho antes que en otros modelos. Por saturado se entiende una quinta parte menos de rendimiento útil que \
                 con un solo cliente, o una décima parte de los clientes que mantienen las tareas.",
        },
        source: Source::Course,
        rule: Rule::Any(&[
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::Only(&[At::Last]),
                figure: &GOOD_PER_S,
                models: FORK,
                over: Over::Level(At::First),
                expect: Expect::LessThan(0.8),
            }),
            Rule::Test(Test {
                experiment: &IDLE,
                levels: Levels::All,
                figure: &CLIENTS_MOST,
                models: FORK,
                over: Over::Model("tokio"),
                expect: Expect::LessThan(0.1),
            }),
        ]),
        not_measured: Bilingual {
            en: "Thousands of busy processes: a cap keeps them at 256 unless told otherwise, because a machine without one \
                 is hard to get back.",
            es: "Miles de procesos ocupados: un tope los mantiene en 256 salvo que se indique otra cosa, porque una máquina \
                 sin tope es difícil de recuperar.",
        },
    },
    Claim {
        id: "isolation",
        statement: Bilingual {
            en: "A process that dies takes nobody along; a thread that dies takes everybody.",
            es: "Un proceso que muere no arrastra a nadie; un hilo que muere los arrastra a todos.",
        },
        why: Bilingual {
            en: "An abort or a segmentation fault ends the process it happens in. If that process serves one client, one \
                 client is lost; if it serves all of them through threads, all are. The other clients of the server are \
                 watched while one client's handler dies.",
            es: "Un abort o un fallo de segmentación termina el proceso en que ocurre. Si ese proceso atiende a un cliente, \
                 se pierde un cliente; si los atiende a todos mediante hilos, se pierden todos. Se observa a los demás \
                 clientes del servidor mientras muere el manejador de uno de ellos.",
        },
        source: Source::Course,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &CRASH,
                levels: Levels::All,
                figure: &OTHERS_FAILED_SHARE,
                models: FORK,
                over: Over::Nothing,
                expect: Expect::LessThan(0.01),
            }),
            Rule::Test(Test {
                experiment: &CRASH,
                levels: Levels::All,
                figure: &RECOVERY_US,
                models: FORK,
                over: Over::Nothing,
                expect: Expect::LessThan(500_000.0),
            }),
            Rule::Test(Test {
                experiment: &CRASH,
                levels: WHOLE_PROCESS,
                figure: &OTHERS_FAILED_SHARE,
                models: THREADS,
                over: Over::Nothing,
                expect: Expect::MoreThan(0.9),
            }),
        ]),
        not_measured: Bilingual {
            en: "Faults that do not kill: memory overwritten in a neighbour's data, which threads share and processes do not.",
            es: "Fallos que no matan: memoria sobrescrita en los datos de un vecino, que los hilos comparten y los procesos \
                 no.",
        },
    },
    Claim {
        id: "sharing",
        statement: Bilingual {
            en: "Sharing data between processes needs extra mechanisms, and those cost.",
            es: "Compartir datos entre procesos exige mecanismos adicionales, y esos cuestan.",
        },
        why: Bilingual {
            en: "Processes have separate memory, so a counter for all clients has to lie in memory that was set up for \
                 sharing before the fork. That is a mechanism more to write. Once it is there, adding one to it is the same \
                 instruction in a thread and in a process. Costing is taken to mean a tenth more CPU than the greeting \
                 takes.",
            es: "Los procesos tienen memorias separadas, así que un contador para todos los clientes tiene que estar en \
                 memoria preparada para compartirse antes del fork. Es un mecanismo más que escribir. Una vez ahí, sumarle \
                 uno es la misma instrucción en un hilo que en un proceso. Por costar se entiende una décima parte más de \
                 CPU que el saludo.",
        },
        source: Source::Course,
        rule: Rule::Test(Test {
            experiment: &SHARING,
            levels: Levels::Only(&[At::Named(SHARED_COUNT)]),
            figure: &CPU_US_PER_REQUEST,
            models: FORK,
            over: Over::Level(At::Named(SHARED_NOTHING)),
            expect: Expect::MoreThan(1.1),
        }),
        not_measured: Bilingual {
            en: "Data with structure, which needs locks that survive the death of their holder; pipes and queues.",
            es: "Datos con estructura, que necesitan cerrojos que sobrevivan a la muerte de quien los tiene; tuberías y \
                 colas.",
        },
    },
    Claim {
        id: "fork-vs-thread",
        statement: Bilingual {
            en: "fork is several times dearer than a thread.",
            es: "fork es varias veces más caro que un hilo.",
        },
        why: Bilingual {
            en: "A new process needs its own page tables and takes a page fault for each page it touches first; a new \
                 thread needs a stack. By itself that is a matter of microseconds. Whether it is felt depends on what else a \
                 request costs. Several is taken to mean three.",
            es: "Un proceso nuevo necesita sus propias tablas de páginas y sufre un fallo de página por cada página que \
                 toca por primera vez; un hilo nuevo necesita una pila. Por sí solo es cuestión de microsegundos. Que se \
                 note depende de qué más cueste una petición. Por varias se entiende tres.",
        },
        source: Source::Field,
        rule: Rule::Each(&[
            Rule::Test(Test {
                experiment: &SPAWN,
                levels: Levels::All,
                figure: &SPAWN_US,
                models: FORK,
                over: Over::Model("thread-per-client"),
                expect: Expect::MoreThan(3.0),
            }),
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::All,
                figure: &CPU_US_PER_REQUEST,
                models: FORK,
                over: Over::Model("thread-per-client"),
                expect: Expect::MoreThan(3.0),
            }),
        ]),
        not_measured: Bilingual {
            en: "Other operating systems, whose fork may be far dearer, or missing.",
            es: "Otros sistemas operativos, cuyo fork puede ser mucho más caro, o no existir.",
        },
    },
];
