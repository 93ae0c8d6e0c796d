//! What is said of async and of event loops.

use hola_servers::models::Bilingual;

use super::names::{
    CHURN, CPU_US_PER_REQUEST, DEADLINES, DEADLINES_OFF, DEADLINES_ON, Experiment, GRID,
    HEAVY_NONE, HEAVY_SOME, KEEP_ALIVE, MIXED, RESPONSE_P99_US, WAIT,
};
use super::rule::{At, Expect, Levels, Over, Rule, Test};
use super::{Claim, Source};

/// What a difference has to be to be called one: a tenth less.
const A_TENTH_LESS: Expect = Expect::LessThan(0.9);

/// CPU of `model` against that of `other`, at every level of an experiment.
const fn cheaper(
    experiment: &'static Experiment,
    model: &'static [&'static str],
    other: &'static str,
    expect: Expect,
) -> Test {
    Test {
        experiment,
        levels: Levels::All,
        figure: &CPU_US_PER_REQUEST,
        models: model,
        over: Over::Model(other),
        expect,
    }
}

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        id: "async-faster",
        statement: Bilingual {
            en: "Async is faster than threads.",
            es: "Lo asíncrono es más rápido que los hilos.",
        },
        why: Bilingual {
            en: "A task is created and switched without the kernel, so an async server can have more of a CPU left for its \
                 clients. What is saved is largest where each request brings a new client, and shrinks as connections stay. \
                 Compared is CPU per request on equal cores: its inverse is the rate that one CPU can sustain, whatever the \
                 load generator could send. Faster is taken to mean a tenth less.",
            es: "Una tarea se crea y se cambia sin el núcleo, así que a un servidor asíncrono puede quedarle más CPU para \
                 sus clientes. El ahorro es mayor cuando cada petición trae un cliente nuevo, y mengua cuando las conexiones \
                 permanecen. Se compara la CPU por petición con los mismos núcleos: su inverso es la tasa que una CPU puede \
                 sostener, sea cual sea la que el generador de carga pudo enviar. Por más rápido se entiende una décima \
                 parte menos.",
        },
        source: Source::Field,
        rule: Rule::Each(&[
            Rule::Test(cheaper(
                &CHURN,
                &["tokio"],
                "thread-per-client",
                A_TENTH_LESS,
            )),
            Rule::Test(cheaper(
                &KEEP_ALIVE,
                &["tokio"],
                "thread-per-client",
                A_TENTH_LESS,
            )),
            Rule::Test(cheaper(
                &GRID,
                &["tokio"],
                "thread-per-client",
                A_TENTH_LESS,
            )),
        ]),
        not_measured: Bilingual {
            en: "Other runtimes and other languages.",
            es: "Otros entornos de ejecución y otros lenguajes.",
        },
    },
    Claim {
        id: "async-when-waiting",
        statement: Bilingual {
            en: "Async wins only when waiting dominates.",
            es: "Lo asíncrono solo gana cuando predomina la espera.",
        },
        why: Bilingual {
            en: "A task that waits keeps no stack and is woken without a switch between threads, so waiting is where async \
                 should gain. Without waiting a thread runs through at once. Then async should not win at a wait of zero, \
                 and win from some wait on: a crossover. Winning is taken to mean a tenth less CPU per request.",
            es: "Una tarea que espera no conserva pila y se reanuda sin cambiar de hilo, así que en la espera debería ganar \
                 lo asíncrono. Sin espera, un hilo sigue de un tirón. Entonces no debería ganar con espera cero, y sí a \
                 partir de cierta espera: un punto de cruce. Por ganar se entiende una décima parte menos de CPU por \
                 petición.",
        },
        source: Source::Field,
        rule: Rule::Crossover(cheaper(
            &WAIT,
            &["tokio"],
            "thread-per-client",
            A_TENTH_LESS,
        )),
        not_measured: Bilingual {
            en: "A pool smaller than its sleepers: that measures the length of a queue, not a model.",
            es: "Un grupo menor que el número de los que duermen: eso mide la longitud de una cola, no un modelo.",
        },
    },
    Claim {
        id: "blocking-ruins-loop",
        statement: Bilingual {
            en: "One blocking call ruins an event loop.",
            es: "Una sola llamada bloqueante arruina un bucle de eventos.",
        },
        why: Bilingual {
            en: "A loop that computes for one client attends to nobody else, and the scheduler cannot interrupt it in their \
                 favour. Threads share the CPU in slices instead. One request in a hundred is made heavy, and the slowest \
                 hundredth of the light ones is looked at. Ruined is taken to mean: three times as slow as without the heavy \
                 ones, and twice as slow as with threads.",
            es: "Un bucle que calcula para un cliente no atiende a nadie más, y el planificador no puede interrumpirlo en \
                 favor de los otros. Los hilos, en cambio, se reparten la CPU por turnos. Una de cada cien peticiones se hace \
                 pesada y se mira la centésima más lenta de las ligeras. Por arruinado se entiende: tres veces más lento que \
                 sin las pesadas y dos veces más lento que con hilos.",
        },
        source: Source::Field,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &MIXED,
                levels: Levels::Only(&[At::Named(HEAVY_SOME)]),
                figure: &RESPONSE_P99_US,
                models: &["epoll", "tokio"],
                over: Over::Level(At::Named(HEAVY_NONE)),
                expect: Expect::MoreThan(3.0),
            }),
            Rule::Test(Test {
                experiment: &MIXED,
                levels: Levels::Only(&[At::Named(HEAVY_SOME)]),
                figure: &RESPONSE_P99_US,
                models: &["epoll", "tokio"],
                over: Over::Model("thread-per-client"),
                expect: Expect::MoreThan(2.0),
            }),
        ]),
        not_measured: Bilingual {
            en: "Heavy work handed to threads beside the loop, the usual remedy.",
            es: "El trabajo pesado entregado a hilos aparte del bucle, que es el remedio habitual.",
        },
    },
    Claim {
        id: "uring-faster",
        statement: Bilingual {
            en: "io_uring is far faster than epoll.",
            es: "io_uring es mucho más rápido que epoll.",
        },
        why: Bilingual {
            en: "io_uring takes many operations in one system call, where epoll needs one for each and one to wait. But most \
                 of a request's cost is TCP inside the kernel, which is the same for both. Far faster is taken to mean two \
                 thirds of the CPU per request, or less.",
            es: "io_uring recibe muchas operaciones en una llamada al sistema, mientras que epoll necesita una por cada una \
                 y otra para esperar. Pero la mayor parte de lo que cuesta una petición es TCP dentro del núcleo, igual para \
                 ambos. Por mucho más rápido se entiende dos tercios de la CPU por petición, o menos.",
        },
        source: Source::Field,
        rule: Rule::Each(&[
            Rule::Test(cheaper(
                &CHURN,
                &["io-uring"],
                "epoll",
                Expect::LessThan(2.0 / 3.0),
            )),
            Rule::Test(cheaper(
                &KEEP_ALIVE,
                &["io-uring"],
                "epoll",
                Expect::LessThan(2.0 / 3.0),
            )),
        ]),
        not_measured: Bilingual {
            en: "Files, where io_uring has no rival in epoll; polling by the kernel, which takes a CPU for itself.",
            es: "Ficheros, en los que epoll no es rival para io_uring; el sondeo por parte del núcleo, que ocupa una CPU.",
        },
    },
    Claim {
        id: "timeouts-cost",
        statement: Bilingual {
            en: "Deadlines make async dearer than threads.",
            es: "Los plazos hacen que lo asíncrono salga más caro que los hilos.",
        },
        why: Bilingual {
            en: "A blocking thread leaves its deadline to the kernel, which is set once on the socket. A task needs a timer \
                 of its own, set and taken back for each wait. To see what that costs, the same server runs \
                 with deadlines and without. Dearer is taken to mean: with deadlines a task costs a twentieth more than \
                 without, and more than a thread.",
            es: "Un hilo que se bloquea deja el plazo al núcleo, que se fija una vez en el socket. Una tarea necesita un \
                 temporizador propio, que se pone y se quita en cada espera. Para ver cuánto cuesta, el mismo servidor \
                 funciona con plazos y sin ellos. Por más caro se entiende que con plazos una tarea cueste una vigésima parte \
                 más que sin ellos, y más que un hilo.",
        },
        source: Source::Field,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &DEADLINES,
                levels: Levels::Only(&[At::Named(DEADLINES_ON)]),
                figure: &CPU_US_PER_REQUEST,
                models: &["tokio"],
                over: Over::Level(At::Named(DEADLINES_OFF)),
                expect: Expect::MoreThan(1.05),
            }),
            Rule::Test(Test {
                experiment: &DEADLINES,
                levels: Levels::Only(&[At::Named(DEADLINES_ON)]),
                figure: &CPU_US_PER_REQUEST,
                models: &["tokio"],
                over: Over::Model("thread-per-client"),
                expect: Expect::MoreThan(1.0),
            }),
        ]),
        not_measured: Bilingual {
            en: "Deadlines that pass, and timers taken anew for every read and every write of a request.",
            es: "Plazos que se cumplen, y temporizadores nuevos para cada lectura y cada escritura de una petición.",
        },
    },
];
