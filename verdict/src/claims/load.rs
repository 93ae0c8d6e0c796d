//! Claims about overload and about low load.

use hola_base::text;
use hola_lab::metric::Metric::{
    CpuPerRequest, GoodputOfCapacity, ResponseP50, ResponseP99, SwitchesPerRequest,
};

use super::Expect::{Above, Below, Within};
use super::decide::{by_part, parts};
use super::{Claim, FORK, Finding, LevelKey, THREADS, TOKIO};
use crate::analysis::Missing;

pub(super) const OVERLOAD: Claim = Claim {
    id: "overload",
    statement: text(
        "Past their capacity threads thrash, while event-driven servers degrade gracefully.",
        "Más allá de su capacidad los hilos se ahogan, mientras que los servidores de eventos se \
         degradan con suavidad.",
    ),
    why: text(
        "When more comes than can be served, clients pile up. A server that makes a thread for \
         each spends ever more on switching and less on answering; a loop works through its \
         list. But whoever serves first who came first may work for clients who have gone: then \
         the queue decides, whatever the model. Requests come at two and three times what the \
         model answered in a closed loop just before; a thousand clients are served at once, as \
         many wait, and they wait twice or half as long as a full queue takes. Counted are \
         answers within that time. Four fifths of the capacity is the border: what is below has \
         collapsed, what is above has degraded gracefully.",
        "Cuando llega más de lo que se puede atender, los clientes se acumulan. Un servidor que \
         crea un hilo para cada uno gasta cada vez más en cambios de contexto y menos en \
         responder; un bucle va despachando su lista. Pero quien atiende primero a quien llegó \
         primero puede trabajar para clientes que ya se han ido: entonces decide la cola, sea \
         cual sea el modelo. Las peticiones llegan a dos y tres veces lo que el modelo respondió \
         justo antes en bucle cerrado; mil clientes se atienden a la vez, otros tantos esperan, \
         y esperan el doble o la mitad de lo que tarda una cola llena. Se cuentan las respuestas \
         en ese plazo. La frontera está en cuatro quintos de la capacidad: lo que queda por \
         debajo se ha colapsado, lo que queda por encima se ha degradado con suavidad.",
    ),
    experiments: &["overload"],
    servers: &["thread-per-client", "epoll"],
    decide: |analysis| {
        const KEPT: f64 = 0.8;
        let findings = |level| {
            let at = LevelKey::new("overload", level);
            [
                analysis.own(at, THREADS, GoodputOfCapacity, Below(KEPT)),
                analysis.own(at, "epoll", GoodputOfCapacity, Above(KEPT)),
            ]
        };
        by_part(parts! {
            "twice the capacity, patient clients", "el doble de la capacidad, clientes pacientes" =>
                findings("2 × capacity, patient clients");
            "three times the capacity, patient clients", "el triple de la capacidad, clientes pacientes" =>
                findings("3 × capacity, patient clients");
            "three times the capacity, impatient clients", "el triple de la capacidad, clientes impacientes" =>
                findings("3 × capacity, impatient clients");
        })
    },
    left_out: text(
        "Overload that lasts for minutes; clients that try again and so make it worse.",
        "Sobrecargas de minutos; clientes que reintentan y así la empeoran.",
    ),
};

pub(super) const LOW: Claim = Claim {
    id: "low-load-tie",
    statement: text(
        "At low load the model does not matter.",
        "Con poca carga, el modelo da igual.",
    ),
    why: text(
        "With a CPU to spare no client waits for another, and what a client notices is its own \
         response time alone. Low is 50, 200 and 1,000 new connections per second, offered to \
         all. Equality has to be shown: the whole interval against the iterative server must lie \
         within a tenth, for fork, threads, epoll and tokio. That no difference was found would \
         not be enough. Response times (median and 99th percentile), CPU and context switches \
         are decided each by itself: what a client does not notice, the server may.",
        "Con CPU de sobra ningún cliente espera a otro, y lo que nota un cliente es solo su \
         propio tiempo de respuesta. Poca son 50, 200 y 1000 conexiones nuevas por segundo, \
         ofrecidas a todos. La igualdad hay que demostrarla: todo el intervalo frente al \
         servidor iterativo tiene que quedar a menos de una décima parte, para fork, hilos, \
         epoll y tokio. No haber hallado diferencia no bastaría. Los tiempos de respuesta \
         (mediana y percentil 99), la CPU y los cambios de contexto se deciden por separado: lo \
         que no nota un cliente puede notarlo el servidor.",
    ),
    experiments: &["equal-load"],
    servers: &[
        "iterative",
        "fork-per-client",
        "thread-per-client",
        "epoll",
        "tokio",
    ],
    decide: |analysis| {
        const RATES: [&str; 3] = ["new, 50/s", "new, 200/s", "new, 1000/s"];
        const MODELS: [&str; 4] = [FORK, THREADS, "epoll", TOKIO];
        let equal = Within(1.0 / 1.1, 1.1);
        // A quick run leaves some rates out.
        let mut rates = RATES
            .map(|level| LevelKey::new("equal-load", level))
            .to_vec();
        rates.retain(|rate| analysis.has(*rate));
        let findings = |metric| {
            let against = |at, model| analysis.against(at, model, "iterative", metric, equal);
            let findings = rates
                .iter()
                .flat_map(|at| MODELS.map(|model| against(*at, model)));
            let mut findings: Vec<Finding> = findings.collect();
            // Fifty requests a second are too few for a 99th percentile.
            let has_value = |one: &Finding| one.estimate != Err(Missing::NoValue(metric));
            if findings.iter().any(has_value) {
                findings.retain(has_value);
            }
            findings
        };
        by_part(parts! {
            "median response time", "tiempo de respuesta mediano" => findings(ResponseP50);
            "99th percentile", "percentil 99" => findings(ResponseP99);
            "CPU per request", "CPU por petición" => findings(CpuPerRequest);
            "context switches", "cambios de contexto" => findings(SwitchesPerRequest);
        })
    },
    left_out: text(
        "Clients farther away than this machine, for whom the network hides still more.",
        "Clientes más lejanos que esta máquina, para los que la red oculta aún más.",
    ),
};
