//! What is said of too much load, and of too little.

use hola_servers::models::Bilingual;

use super::names::{CHURN, Experiment, GOODPUT_OF_CAPACITY_SHARE, OVERLOAD, RESPONSE_P50_US};
use super::rule::{At, Expect, Levels, Over, Rule, Test};
use super::{Claim, Source};

/// Goodput at the heaviest overload as a share of capacity: what is below has collapsed, what is above has degraded
/// gracefully.
const KEPT: f64 = 0.8;

/// The margin of bioequivalence studies: between four fifths and five quarters (Schuirmann, 1987).
const EQUAL: Expect = Expect::Between(0.8, 1.25);

const fn at_overload(models: &'static [&'static str], expect: Expect) -> Rule {
    Rule::Test(Test {
        experiment: &OVERLOAD,
        levels: Levels::Only(&[At::Last]),
        figure: &GOODPUT_OF_CAPACITY_SHARE,
        models,
        over: Over::Nothing,
        expect,
    })
}

const fn at_low_load(experiment: &'static Experiment, control: &'static str) -> Rule {
    Rule::Test(Test {
        experiment,
        levels: Levels::Only(&[At::First]),
        figure: &RESPONSE_P50_US,
        models: &["fork-per-client", "thread-per-client", "tokio"],
        over: Over::Model(control),
        expect: EQUAL,
    })
}

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        id: "overload",
        statement: Bilingual {
            en: "Past their capacity threads thrash, while event-driven servers degrade gracefully.",
            es: "Más allá de su capacidad los hilos se ahogan, mientras que los servidores de eventos se degradan con \
                 suavidad.",
        },
        why: Bilingual {
            en: "When more comes than can be served, clients pile up. A server that makes a thread for each spends ever more \
                 on switching and less on answering; a loop works through its list. Requests are sent at a planned rate up \
                 to three times what the model can do, and goodput is set against that capacity, measured just before: four \
                 fifths of it is the border.",
            es: "Cuando llega más de lo que se puede atender, los clientes se acumulan. Un servidor que crea un hilo para \
                 cada uno gasta cada vez más en cambios de contexto y menos en responder; un bucle va despachando su lista. \
                 Se envían peticiones a una tasa planificada de hasta tres veces lo que el modelo puede, y el rendimiento \
                 útil se compara con esa capacidad, medida justo antes: la frontera está en cuatro quintos.",
        },
        source: Source::Field,
        rule: Rule::All(&[
            at_overload(&["thread-per-client"], Expect::LessThan(KEPT)),
            at_overload(&["tokio"], Expect::MoreThan(KEPT)),
        ]),
        not_measured: Bilingual {
            en: "Overload that lasts for minutes; clients that try again and so make it worse.",
            es: "Sobrecargas de minutos; clientes que reintentan y así la empeoran.",
        },
    },
    Claim {
        id: "low-load-tie",
        statement: Bilingual {
            en: "At low load the model does not matter.",
            es: "Con poca carga, el modelo da igual.",
        },
        why: Bilingual {
            en: "With a CPU to spare, nobody waits for anybody, and what a client notices is its own response time alone. \
                 Equal has to be shown: the whole interval of the ratio of medians must lie between 0.8 and 1.25, the margin \
                 by which two medicines count as equivalent. That no difference was found would not be enough.",
            es: "Con CPU de sobra nadie espera a nadie, y lo que nota un cliente es solo su propio tiempo de respuesta. La \
                 igualdad hay que demostrarla: todo el intervalo del cociente de medianas tiene que quedar entre 0,8 y 1,25, \
                 el margen con que dos medicamentos se consideran equivalentes. No haber hallado diferencia no bastaría.",
        },
        source: Source::Field,
        rule: Rule::Each(&[
            at_low_load(&CHURN, "iterative"),
            at_low_load(&OVERLOAD, "epoll"),
        ]),
        not_measured: Bilingual {
            en: "Clients farther away than this machine, for whom the network hides still more.",
            es: "Clientes más lejanos que esta máquina, para los que la red oculta aún más.",
        },
    },
];
