//! Claims about the accept queue, accepting and pools.

use hola_base::text;
use hola_lab::metric::Metric::{
    BusiestWorker, ClientsConnected, ConnectsAfter1S, CpuPerRequest, SwitchesPerRequest,
};

use super::Expect::Below;
use super::decide::{by_part, parts};
use super::{
    Claim, EIGHT_SLOW, FORK, HALF_MORE, KEEPS_GOODPUT, LevelKey, NEW, NONE_SLOW, ONE_SLOW,
    TENTH_MORE, THREADS,
};

pub(super) const BACKLOG: Claim = Claim {
    id: "backlog-limit",
    statement: text(
        "listen(5) admits at most five clients.",
        "listen(5) admite como máximo cinco clientes.",
    ),
    why: text(
        "The number bounds the queue of connections that have not been accepted yet, not the \
         clients being served: a connection that is accepted leaves the queue. More clients than \
         that connect at once while the server is kept from accepting. Two places: *the queue*, \
         where about five must get in (Linux lets in one more than the number says, and that is \
         not the point: the border is halfway to ten), and *all clients*, where those beyond the \
         queue must stay out: if more than a tenth connect after all, a second or more later, \
         the number is no limit on clients but a delay.",
        "El número limita la cola de conexiones aún no aceptadas, no los clientes que se \
         atienden: una conexión aceptada sale de la cola. Se conectan a la vez más clientes de \
         los que dice, mientras se impide que el servidor acepte. Dos lugares: *la cola*, en la \
         que tienen que entrar unos cinco (Linux deja entrar a uno más de lo que dice el número, \
         y eso no es lo que importa: la frontera está a medio camino de diez), y *todos los \
         clientes*, donde los que no caben en la cola tienen que quedarse fuera: si más de una \
         décima parte acaba por conectarse, un segundo después o más, el número no limita los \
         clientes, sino que los retrasa.",
    ),
    experiments: &["backlog"],
    servers: &["iterative"],
    decide: |analysis| {
        const FIVE: LevelKey<'static> = LevelKey::new("backlog", "backlog 5");
        let found = |metric, threshold| [analysis.own(FIVE, "iterative", metric, threshold)];
        by_part(parts! {
            "the queue", "la cola" => found(ClientsConnected, Below(7.5));
            "all clients", "todos los clientes" => found(ConnectsAfter1S, Below(0.1));
        })
    },
    left_out: text(
        "Other systems, which round the number up or multiply it.",
        "Otros sistemas, que redondean el número al alza o lo multiplican.",
    ),
};

pub(super) const ITERATIVE: Claim = Claim {
    id: "iterative-serves-many",
    statement: text(
        "A server that accepts in a loop serves several clients at once.",
        "Un servidor que acepta en un bucle atiende a varios clientes a la vez.",
    ),
    why: text(
        "A loop that accepts, talks and closes comes back to accept only when the client before \
         has left. With quick clients that looks like serving many at once; one slow client \
         shows that it is not. At once is taken to mean that fast clients keep nine tenths of \
         their goodput beside a slow one.",
        "Un bucle que acepta, habla y cierra no vuelve a aceptar hasta que se va el cliente \
         anterior. Con clientes rápidos parece que atiende a muchos a la vez; un cliente lento \
         demuestra que no. Por a la vez se entiende que los clientes rápidos conserven nueve \
         décimas partes de su rendimiento útil junto a uno lento.",
    ),
    experiments: &["slow-client"],
    servers: &["iterative"],
    decide: |analysis| {
        let kept = |slow| [analysis.goodput_kept("iterative", NONE_SLOW, slow, KEEPS_GOODPUT)];
        by_part(parts! {
            "one slow client", "un cliente lento" => kept(ONE_SLOW);
            "eight slow clients", "ocho clientes lentos" => kept(EIGHT_SLOW);
        })
    },
    left_out: text("Nothing of the claim.", "Nada de la afirmación."),
};

pub(super) const POOL: Claim = Claim {
    id: "pool-10x",
    statement: text(
        "A pool cuts the cost of concurrency ten times.",
        "Un grupo de trabajadores divide por diez el coste de la concurrencia.",
    ),
    why: text(
        "Workers that exist beforehand save creating one for each client. What a model costs \
         more than the iterative server is its cost of control; a pool has to add less than a \
         tenth of what a new thread or process adds. Handing a client to a worker still costs a \
         wake-up, which a new thread does not need. Each kind of pool is decided by itself.",
        "Los trabajadores que existen de antemano ahorran crear uno por cliente. Lo que un \
         modelo cuesta más que el servidor iterativo es su coste de control; un grupo tiene que \
         añadir menos de la décima parte de lo que añade un hilo o proceso nuevo. Entregar un \
         cliente a un trabajador sigue costando despertarlo, que un hilo nuevo no necesita. Cada \
         clase de grupo se decide por separado.",
    ),
    experiments: &["equal-load"],
    servers: &[
        "iterative",
        "thread-per-client",
        "pre-threaded",
        "thread-pool",
        "fork-per-client",
        "pre-forked",
    ],
    decide: |analysis| {
        let added = |pool, fresh| [analysis.added(NEW, [pool, fresh, "iterative"], Below(0.1))];
        by_part(parts! {
            "threads that all accept", "hilos que aceptan todos" => added("pre-threaded", THREADS);
            "a pool behind one acceptor", "un grupo tras un único aceptador" => added("thread-pool", THREADS);
            "processes that all accept", "procesos que aceptan todos" => added("pre-forked", FORK);
        })
    },
    left_out: text(
        "What a pool costs in the other direction: clients that wait because all workers are taken.",
        "Lo que un grupo cuesta en el otro sentido: clientes que esperan porque todos los \
         trabajadores están ocupados.",
    ),
};

pub(super) const HERD: Claim = Claim {
    id: "accept-herd",
    statement: text(
        "Many workers that wait at one listener are all woken for each client, and that is costly.",
        "Cuando muchos trabajadores esperan en un mismo socket de escucha, cada cliente los \
         despierta a todos, y eso sale caro.",
    ),
    why: text(
        "Where every waiting worker wakes and one of them gets the client, the others have woken \
         in vain: the thundering herd. Linux wakes one sleeper in accept(2). A worker that wakes \
         in vain never returns from accept(2), so that its returns show nothing; the kernel's \
         context switches do. All and costly are taken to mean half as many switches per request \
         again as a single acceptor has, and a tenth more CPU. Threads and processes are decided \
         each by itself; a lock around accept(2), a listener for each worker, and loops that watch \
         one listener, with EPOLLEXCLUSIVE and without, are shown, with how evenly each deals out \
         the clients: the busiest worker's against the mean.",
        "Si despiertan todos los trabajadores que esperan y solo uno obtiene el cliente, los \
         demás han despertado en vano: la estampida (thundering herd). Linux despierta a uno \
         solo de los que duermen en accept(2). Un trabajador que despierta en vano no vuelve de \
         accept(2), así que contar sus vueltas no muestra nada; los cambios de contexto del \
         núcleo, sí. Por todos y caro se entiende la mitad más de cambios por petición que un \
         único aceptador, y una décima parte más de CPU. Hilos y procesos se deciden por \
         separado; se muestran un cerrojo en torno a accept(2), un socket de escucha por \
         trabajador, y bucles que vigilan un mismo socket, con EPOLLEXCLUSIVE y sin él, y con qué \
         igualdad reparte cada uno los clientes: el trabajador más ocupado frente a la media.",
    ),
    experiments: &["accept"],
    servers: &["pre-threaded", "pre-forked", "iterative"],
    decide: |analysis| {
        const HERE: LevelKey<'static> = LevelKey::new("accept", "new, 2000/s");
        let findings = |one: &str| {
            [
                analysis.against(HERE, one, "iterative", SwitchesPerRequest, HALF_MORE),
                analysis.against(HERE, one, "iterative", CpuPerRequest, TENTH_MORE),
            ]
        };
        let shown = [
            "pre-threaded, locked",
            "pre-threaded, reuseport",
            "pre-forked, locked",
            "pre-forked, reuseport",
            "epoll-per-core, shared",
            "epoll-per-core, exclusive",
            "epoll-per-core",
        ];
        by_part(parts! {
            "threads", "hilos" => findings("pre-threaded");
            "processes", "procesos" => findings("pre-forked");
        })
        .showing(shown.into_iter().flat_map(|one| {
            let evenness = analysis.own(HERE, one, BusiestWorker, TENTH_MORE);
            findings(one).into_iter().chain([evenness])
        }))
    },
    left_out: text(
        "More workers than this machine has CPUs to run.",
        "Más trabajadores que CPU tiene esta máquina.",
    ),
};
