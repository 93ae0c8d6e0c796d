//! Claims about async and event loops.

use hola_base::{Text, text};
use hola_lab::metric::Metric::{CapacityPerS, ClientsHeld, CpuPerRequest, ResponseP99};
use hola_lab::metric::Scale;

use super::Expect::{Above, Below};
use super::decide::{ClaimPart, all, by_part, parts};
use super::{
    CHEAPER, Claim, Expect, Finding, HALF_MORE, KEPT, LevelKey, MORE, NEW, THREADS, TOKIO,
};
use crate::analysis::{Analysis, over_blocks};

pub(super) const SCALES: Claim = Claim {
    id: "async-scales",
    statement: text(
        "Async I/O holds hundreds of thousands of connections with fewer resources than threads.",
        "La E/S asíncrona mantiene cientos de miles de conexiones con menos recursos que los hilos.",
    ),
    why: text(
        "A task that waits is a small object on the heap; a thread that waits keeps its stack \
         and its entry in the kernel. Fewer is taken to mean less than half the memory per idle \
         client, the kernel's included. Many is taken to mean more than 10,000 clients held on \
         this machine (the old C10K mark), and memory for 100,000 of them below what the machine \
         has: that last figure is an extrapolation of the slope, and says so.",
        "Una tarea que espera es un objeto pequeño en el montón; un hilo que espera conserva su \
         pila y su entrada en el núcleo. Por menos se entiende menos de la mitad de memoria por \
         cliente inactivo, con la del núcleo. Por muchas se entiende más de 10 000 clientes \
         mantenidos en esta máquina (el viejo listón C10K), y que la memoria de 100 000 quepa en \
         ella: esta última cifra es una extrapolación de la pendiente, y así consta.",
    ),
    experiments: &["idle"],
    servers: &["tokio", "thread-per-client"],
    decide: |analysis| {
        let limits = LevelKey::new("idle", "to the limit");
        all([
            analysis.memory_against(TOKIO, THREADS, Below(0.5)),
            analysis.own(limits, TOKIO, ClientsHeld, Above(10_000.0)),
            extrapolated_memory(analysis),
        ])
        .noting(analysis.limit(limits, TOKIO))
    },
    left_out: text(
        "100,000 connections that really exist: this machine's descriptors end before.",
        "100 000 conexiones que de verdad existan: los descriptores de esta máquina se acaban \
         antes.",
    ),
};

/// Memory that 100,000 idle clients would take, as a share of the machine's.
fn extrapolated_memory(analysis: &Analysis<'_>) -> Finding {
    const CLIENTS: f64 = 100_000.0;
    const WHAT: Text = text(
        "Memory of 100,000 idle clients of tokio, extrapolated, as a share of the machine's",
        "Memoria de 100 000 clientes inactivos de tokio, extrapolada, como parte de la de la \
         máquina",
    );
    let at = analysis.idle_level();
    let machine_mib = u32::try_from(analysis.run().environment.memory_mib).unwrap_or(u32::MAX);
    let machine_kib = f64::from(machine_mib) * 1024.0;
    let share = |kib: f64, _| (kib * CLIENTS / machine_kib).ln();
    let found = analysis.memory(at, TOKIO);
    let found = found.and_then(|(kib, _)| over_blocks(&kib, &kib, Scale::Ratio, share));
    Finding::new(WHAT.into(), at, TOKIO, found, Below(1.0))
}

/// CPU per request at the same rate, and capacity of a full CPU, for new and for kept connections: `servers` are the one
/// that is said to be faster, and the other.
fn cpu_and_capacity(
    analysis: &Analysis<'_>,
    servers: [&str; 2],
    cpu: Expect,
    capacity: Expect,
) -> Vec<ClaimPart> {
    let against = |at, metric, threshold| {
        let [one, other] = servers;
        [analysis.against(at, one, other, metric, threshold)]
    };
    let cpu = |at| against(at, CpuPerRequest, cpu);
    let capacity = |level| against(LevelKey::new("capacity", level), CapacityPerS, capacity);
    Vec::from(parts! {
        "CPU, new connections", "CPU, conexiones nuevas" => cpu(NEW);
        "CPU, kept connections", "CPU, conexiones que permanecen" => cpu(KEPT);
        "capacity, new connections", "capacidad, conexiones nuevas" => capacity("new");
        "capacity, kept connections", "capacidad, conexiones que permanecen" => capacity("kept");
    })
}

pub(super) const FASTER: Claim = Claim {
    id: "async-faster",
    statement: text(
        "Async is faster than threads.",
        "Lo asíncrono es más rápido que los hilos.",
    ),
    why: text(
        "A task is created and switched without the kernel, so more of a CPU is left for the \
         clients. What is saved is largest where each request brings a new client, and becomes \
         smaller where connections are kept. Faster can mean three things, each decided for new \
         and for kept connections: a twentieth less CPU per request at the same rate, a \
         twentieth more capacity of a full CPU, or a tenth less at the 99th percentile. Where \
         they differ, it depends.",
        "Una tarea se crea y se cambia sin el núcleo, así que queda más CPU para los clientes. \
         El ahorro es mayor cuando cada petición trae un cliente nuevo, y menor cuando las \
         conexiones permanecen. Más rápido puede significar tres cosas, y cada una se decide \
         para conexiones nuevas y para las que permanecen: una vigésima parte menos de CPU por \
         petición al mismo ritmo, una vigésima parte más de capacidad de una CPU llena, o una \
         décima parte menos en el percentil 99. Donde difieren, depende.",
    ),
    experiments: &["equal-load", "capacity"],
    servers: &["tokio", "thread-per-client"],
    decide: |analysis| {
        let p99 = |at| [analysis.against(at, TOKIO, THREADS, ResponseP99, Below(0.9))];
        let mut parts = cpu_and_capacity(analysis, [TOKIO, THREADS], CHEAPER, MORE);
        parts.extend(parts! {
            "99th percentile, new connections", "percentil 99, conexiones nuevas" => p99(NEW);
            "99th percentile, kept connections", "percentil 99, conexiones que permanecen" => p99(KEPT);
        });
        by_part(parts)
    },
    left_out: text(
        "Other runtimes and other languages.",
        "Otros entornos de ejecución y otros lenguajes.",
    ),
};

pub(super) const WHEN_WAITING: Claim = Claim {
    id: "async-when-waiting",
    statement: text(
        "Async wins only when waiting dominates.",
        "Lo asíncrono solo gana cuando predomina la espera.",
    ),
    why: text(
        "A task that waits keeps no stack and is resumed without a switch between threads, so \
         waiting is where async should gain. Creating threads is another matter: so tasks are \
         compared with threads that are there beforehand, as many as clients, over kept \
         connections. The claim needs both: no win without waiting, and a win with the longest \
         wait at the same rate. Winning is taken to mean a twentieth less CPU per request. Each number \
         of clients is decided by itself.",
        "Una tarea que espera no conserva pila y se reanuda sin cambiar de hilo, así que en la \
         espera debería ganar lo asíncrono. Crear hilos es otra cosa: por eso se comparan las \
         tareas con hilos que existen de antemano, tantos como clientes, sobre conexiones que \
         permanecen. La afirmación necesita ambas cosas: que no gane sin espera, y que gane con \
         la espera más larga al mismo ritmo. Por ganar se entiende una vigésima parte menos de \
         CPU por petición. Cada número de clientes se decide por separado.",
    ),
    experiments: &["wait"],
    servers: &["tokio", "pre-threaded"],
    decide: |analysis| {
        let cpu = |level, threshold| {
            let at = LevelKey::new("wait", level);
            analysis.against(at, TOKIO, "pre-threaded", CpuPerRequest, threshold)
        };
        let findings = |none, longest| [cpu(none, Above(0.95)), cpu(longest, CHEAPER)];
        // No 100 ms for 64 clients: their rate would differ, and cost depends on the rate.
        by_part(parts! {
            "16 clients", "16 clientes" => findings("0 ms, 16 clients", "10 ms, 16 clients");
            "64 clients", "64 clientes" => findings("0 ms, 64 clients", "10 ms, 64 clients");
            "1,024 clients", "1024 clientes" => findings("0 ms, 1024 clients", "100 ms, 1024 clients");
        })
    },
    left_out: text(
        "A pool smaller than the number of its clients that wait: that measures the length of a \
         queue, not a model.",
        "Un grupo menor que el número de sus clientes que esperan: eso mide la longitud de una \
         cola, no un modelo.",
    ),
};

pub(super) const BLOCKING: Claim = Claim {
    id: "blocking-ruins-loop",
    statement: text(
        "One blocking call ruins an event loop.",
        "Una sola llamada bloqueante arruina un bucle de eventos.",
    ),
    why: text(
        "A loop that sleeps or computes for one client serves no other meanwhile; threads share \
         the CPU by turns. One request in a hundred blocks the thread it is served on, and in a \
         second place one in a hundred computes; watched is the 99th percentile of the light \
         ones. Ruined is taken to mean more than three times as slow as without them, and more \
         than twice as slow as with threads. The usual remedy is shown: a loop that hands such \
         requests to helper threads.",
        "Un bucle que duerme o calcula para un cliente no atiende mientras tanto a ningún otro; \
         los hilos se reparten la CPU por turnos. Una de cada cien peticiones bloquea el hilo \
         que la atiende y, en un segundo lugar, una de cada cien calcula; se observa el \
         percentil 99 de las ligeras. Por arruinado se entiende más de tres veces más lento que \
         sin ellas y más de dos veces más lento que con hilos. Se muestra el remedio habitual: un \
         bucle que entrega esas peticiones a hilos ayudantes.",
    ),
    experiments: &["mixed"],
    servers: &["epoll", "tokio", "thread-per-client"],
    decide: |analysis| {
        let alone = LevelKey::new("mixed", "alone");
        let findings = |one, at| {
            [
                analysis.changed(one, ResponseP99, alone, at, Above(3.0)),
                analysis.against(at, one, THREADS, ResponseP99, Above(2.0)),
            ]
        };
        let [block, compute] =
            ["1 % block", "1 % compute"].map(|level| LevelKey::new("mixed", level));
        by_part(parts! {
            "a call that blocks", "una llamada que bloquea" => findings("epoll", block);
            "a computation", "un cálculo" => findings("epoll", compute);
        })
        .showing([TOKIO, "loop-and-pool"].into_iter().flat_map(|one| {
            [block, compute]
                .into_iter()
                .flat_map(move |at| findings(one, at))
        }))
    },
    left_out: text(
        "A loop that forgets to hand over one of its slow calls.",
        "Un bucle que olvida entregar una de sus llamadas lentas.",
    ),
};

pub(super) const URING: Claim = Claim {
    id: "uring-faster",
    statement: text(
        "io_uring is far faster than epoll.",
        "io_uring es mucho más rápido que epoll.",
    ),
    why: text(
        "io_uring takes many operations in one system call, where epoll needs one for each and \
         one to wait. But most of a request's cost is TCP inside the kernel, which is the same \
         for both. Far faster is taken to mean two thirds of the CPU per request at the same \
         rate, or half as much capacity again; both for new and for kept connections.",
        "io_uring recibe muchas operaciones en una llamada al sistema, mientras que epoll \
         necesita una por cada una y otra para esperar. Pero la mayor parte de lo que cuesta una \
         petición es TCP dentro del núcleo, igual para ambos. Por mucho más rápido se entiende \
         dos tercios de la CPU por petición al mismo ritmo, o la mitad más de capacidad; ambas \
         con conexiones nuevas y con las que permanecen.",
    ),
    experiments: &["equal-load", "capacity"],
    servers: &["io-uring", "epoll"],
    decide: |analysis| {
        let servers = ["io-uring", "epoll"];
        let two_thirds = Below(2.0 / 3.0);
        by_part(cpu_and_capacity(analysis, servers, two_thirds, HALF_MORE))
    },
    left_out: text(
        "A ring for each core; files, where io_uring has no rival in epoll; polling by the \
         kernel, which takes a CPU for itself.",
        "Un anillo por núcleo; ficheros, en los que epoll no es rival para io_uring; el sondeo \
         por parte del núcleo, que ocupa una CPU.",
    ),
};

pub(super) const DEADLINES: Claim = Claim {
    id: "timeouts-cost",
    statement: text(
        "Deadlines make async cost more than threads.",
        "Los plazos hacen que lo asíncrono cueste más que los hilos.",
    ),
    why: text(
        "A blocking thread leaves its deadline to the kernel, which is set once on the socket. A \
         task needs a timer of its own, set and removed for each wait. The same servers run with \
         deadlines and without, in the same blocks. The claim needs all of three: with deadlines \
         a task costs a twentieth more than without, with them it costs a twentieth more than a \
         thread, and without them it does not: within that margin costs are called the same.",
        "Un hilo que se bloquea deja el plazo al núcleo, que se fija una vez en el socket. Una \
         tarea necesita un temporizador propio, que se pone y se quita en cada espera. Los \
         mismos servidores funcionan con plazos y sin ellos, en los mismos bloques. La \
         afirmación necesita las tres cosas: que con plazos una tarea cueste una vigésima parte \
         más que sin ellos, que con ellos cueste una vigésima parte más que un hilo, y que sin \
         ellos no: dentro de ese margen los costes se consideran iguales.",
    ),
    experiments: &["deadlines"],
    servers: &["tokio", "tokio-current-thread", "thread-per-client"],
    decide: |analysis| {
        const HERE: LevelKey<'static> = LevelKey::new("deadlines", "kept, 2000/s");
        let cpu = |one: &str, other: &str, threshold| {
            analysis.against(HERE, one, other, CpuPerRequest, threshold)
        };
        let findings = |model| {
            let without = format!("{model}, no deadlines");
            [
                cpu(model, &without, MORE),
                cpu(model, THREADS, MORE),
                cpu(&without, "thread-per-client, no deadlines", Below(1.05)),
            ]
        };
        by_part(parts! {
            "tokio", "tokio" => findings(TOKIO);
            "tokio-current-thread", "tokio-current-thread" => findings("tokio-current-thread");
        })
    },
    left_out: text(
        "Deadlines that pass, and timers set anew for every read and every write of a request.",
        "Plazos que se cumplen, y temporizadores nuevos para cada lectura y cada escritura de \
         una petición.",
    ),
};

pub(super) const FIRST_READ: Claim = Claim {
    id: "first-read",
    statement: text(
        "Trying to read before waiting makes an event loop cheaper.",
        "Intentar leer antes de esperar abarata un bucle de eventos.",
    ),
    why: text(
        "A client that has just connected has often sent its request already. A loop that reads \
         at once then saves entering the socket in the kernel's list and one wait; if nothing has \
         come yet, it has made a call in vain. The same servers run both ways in the same blocks. \
         Cheaper is taken to mean a twentieth less CPU per request; a loop and tasks, at a low and \
         at a high rate, are decided each by itself.",
        "Un cliente que acaba de conectarse a menudo ya ha enviado su petición. Un bucle que lee \
         enseguida se ahorra entonces apuntar el socket en la lista del núcleo y una espera; si \
         aún no ha llegado nada, ha hecho una llamada en vano. Los mismos servidores funcionan de \
         ambas maneras en los mismos bloques. Por más barato se entiende una vigésima parte menos \
         de CPU por petición; se deciden por separado un bucle y las tareas, a un ritmo bajo y a \
         uno alto.",
    ),
    experiments: &["first-read"],
    servers: &["epoll", "tokio"],
    decide: |analysis| {
        let found = |model: &str, level| {
            let at = LevelKey::new("first-read", level);
            let at_once = format!("{model}, at once");
            [analysis.against(at, &at_once, model, CpuPerRequest, CHEAPER)]
        };
        by_part(parts! {
            "a loop, 200/s", "un bucle, 200/s" => found("epoll", "new, 200/s");
            "a loop, 8,000/s", "un bucle, 8000/s" => found("epoll", "new, 8000/s");
            "tasks, 200/s", "tareas, 200/s" => found(TOKIO, "new, 200/s");
            "tasks, 8,000/s", "tareas, 8000/s" => found(TOKIO, "new, 8000/s");
        })
    },
    left_out: text(
        "Clients far away, whose request never comes with the connection.",
        "Clientes lejanos, cuya petición nunca llega junto con la conexión.",
    ),
};
