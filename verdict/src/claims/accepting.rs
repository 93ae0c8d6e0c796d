//! What is said of the way to a server: queues, accepting, pools.

use hola_servers::models::Bilingual;

use super::names::{
    BACKLOG, BACKLOG_FIVE, CHURN, CLIENTS_CONNECTED, CPU_US_PER_REQUEST, GOOD_PER_S, SLOW_CLIENT,
    SLOW_EIGHT, SLOW_NONE, WAKEUPS_PER_REQUEST,
};
use super::rule::{At, Expect, Levels, Over, Rule, Test};
use super::{Claim, Source};

/// What is left of the cost of control where a pool cuts it ten times.
const A_TENTH: Expect = Expect::LessThan(0.1);

/// What `pooled` adds to the control, as a share of what `fresh` adds.
const fn pooled(pooled: &'static [&'static str], fresh: &'static str) -> Rule {
    Rule::Test(Test {
        experiment: &CHURN,
        levels: Levels::All,
        figure: &CPU_US_PER_REQUEST,
        models: pooled,
        over: Over::Added {
            model: fresh,
            beyond: "iterative",
        },
        expect: A_TENTH,
    })
}

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        id: "backlog-limit",
        statement: Bilingual {
            en: "listen(5) admits at most five clients.",
            es: "listen(5) admite como máximo cinco clientes.",
        },
        why: Bilingual {
            en: "The number bounds the queue of connections that nobody has accepted yet, not the clients being served: who \
                 is accepted leaves the queue. To see the bound itself, the server is kept from accepting, and clients are \
                 counted until no more get a connection. Linux lets in one more than the number says, so that zero still \
                 means something.",
            es: "El número limita la cola de conexiones que nadie ha aceptado todavía, no los clientes que se atienden: \
                 quien es aceptado sale de la cola. Para ver el límite mismo se impide que el servidor acepte y se cuentan \
                 los clientes hasta que ninguno más consigue conexión. Linux deja entrar a uno más de lo que dice el \
                 número, para que el cero también signifique algo.",
        },
        source: Source::Course,
        rule: Rule::Test(Test {
            experiment: &BACKLOG,
            levels: Levels::Only(&[At::Named(BACKLOG_FIVE)]),
            figure: &CLIENTS_CONNECTED,
            models: &["iterative"],
            over: Over::Nothing,
            // Clients are whole: this lies between the five that the claim allows and the sixth that refutes it.
            expect: Expect::LessThan(5.5),
        }),
        not_measured: Bilingual {
            en: "Other systems, which round the number up or multiply it.",
            es: "Otros sistemas, que redondean el número al alza o lo multiplican.",
        },
    },
    Claim {
        id: "iterative-serves-many",
        statement: Bilingual {
            en: "A server that accepts in a loop serves several clients at once.",
            es: "Un servidor que acepta en un bucle atiende a varios clientes a la vez.",
        },
        why: Bilingual {
            en: "A loop that accepts, talks and closes comes back to accept only when the client before has left. With \
                 quick clients that looks like serving many at once; one slow client shows that it is not. At once is taken \
                 to mean: the fast clients keep four fifths of their goodput beside slow ones.",
            es: "Un bucle que acepta, habla y cierra no vuelve a aceptar hasta que se va el cliente anterior. Con clientes \
                 rápidos parece que atiende a muchos a la vez; un cliente lento demuestra que no. Por a la vez se entiende: \
                 los clientes rápidos conservan cuatro quintos de su rendimiento útil junto a los lentos.",
        },
        source: Source::Course,
        rule: Rule::Test(Test {
            experiment: &SLOW_CLIENT,
            levels: Levels::Only(&[At::Named(SLOW_EIGHT)]),
            figure: &GOOD_PER_S,
            models: &["iterative"],
            over: Over::Level(At::Named(SLOW_NONE)),
            expect: Expect::MoreThan(0.8),
        }),
        not_measured: Bilingual {
            en: "Nothing of the claim.",
            es: "Nada de la afirmación.",
        },
    },
    Claim {
        id: "pool-10x",
        statement: Bilingual {
            en: "A pool makes concurrency ten times cheaper.",
            es: "Un grupo de trabajadores abarata diez veces la concurrencia.",
        },
        why: Bilingual {
            en: "Workers that exist beforehand save creating one for each client. What a model adds to the iterative \
                 server is its cost of control; a pool has to add less than a tenth of what a fresh thread or process adds. \
                 Handing a client to a worker still costs a wake-up, which a fresh thread does not need.",
            es: "Los trabajadores que existen de antemano ahorran crear uno por cliente. Lo que un modelo añade al servidor \
                 iterativo es su coste de control; un grupo tiene que añadir menos de la décima parte de lo que añade un \
                 hilo o proceso nuevo. Entregar un cliente a un trabajador sigue costando un despertar, que un hilo nuevo no \
                 necesita.",
        },
        source: Source::Field,
        rule: Rule::Each(&[
            pooled(&["pre-forked"], "fork-per-client"),
            pooled(&["pre-threaded"], "thread-per-client"),
            pooled(&["thread-pool"], "thread-per-client"),
        ]),
        not_measured: Bilingual {
            en: "What a pool costs in the other direction: clients that wait because all workers are taken.",
            es: "Lo que un grupo cuesta en el otro sentido: clientes que esperan porque todos los trabajadores están \
                 ocupados.",
        },
    },
    Claim {
        id: "accept-herd",
        statement: Bilingual {
            en: "Many workers that wait at one listener are all woken for each client, and that is costly.",
            es: "Cuando muchos trabajadores esperan en un mismo socket de escucha, cada cliente los despierta a todos, y eso \
                 sale caro.",
        },
        why: Bilingual {
            en: "Where every waiting worker wakes and one of them gets the client, the others have woken in vain: the \
                 thundering herd. Linux wakes one sleeper in accept(2), but selectors on a shared listener may wake more. \
                 Wake-ups per request count it: one is what a client needs. All and costly are taken to mean half a wake-up \
                 in vain and a tenth more CPU than a single acceptor.",
            es: "Si despiertan todos los trabajadores que esperan y solo uno obtiene el cliente, los demás han despertado en \
                 vano: la estampida (thundering herd). Linux despierta a uno solo de los que duermen en accept(2), pero los \
                 selectores sobre un socket compartido pueden despertar a más. Lo muestran los despertares por petición: un \
                 cliente necesita uno. Por todos y caro se entiende medio despertar en vano y una décima parte más de CPU \
                 que un único aceptador.",
        },
        source: Source::Field,
        rule: Rule::All(&[
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::All,
                figure: &WAKEUPS_PER_REQUEST,
                models: &["pre-forked", "pre-threaded"],
                over: Over::Nothing,
                expect: Expect::MoreThan(1.5),
            }),
            Rule::Test(Test {
                experiment: &CHURN,
                levels: Levels::All,
                figure: &CPU_US_PER_REQUEST,
                models: &["pre-forked", "pre-threaded"],
                over: Over::Model("iterative"),
                expect: Expect::MoreThan(1.1),
            }),
        ]),
        not_measured: Bilingual {
            en: "How evenly a listener for each worker deals out the clients: on one CPU there is nothing to even out.",
            es: "Con qué igualdad reparte los clientes un socket de escucha por trabajador: con una sola CPU no hay nada que \
                 igualar.",
        },
    },
];
