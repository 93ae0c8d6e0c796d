//! Claims about what other languages give a client: goroutines, virtual threads, Python without its lock, Node's loop.

use hola_base::text;
use hola_lab::metric::Metric::CpuPerRequest;

use super::Expect::Below;
use super::decide::{all, by_part, parts};
use super::{Claim, Expect, HALF_MORE, KEPT, LevelKey, NEW, TOKIO};
use crate::analysis::TARGETS;

const TARGETS_KEPT: LevelKey<'static> = LevelKey::new("targets", "kept, 2000/s");

/// Costs at most a tenth more.
const AS_LITTLE: Expect = Below(1.1);

pub(super) const GOROUTINES: Claim = Claim {
    id: "goroutines-like-tasks",
    statement: text(
        "A goroutine, a virtual thread or a coroutine costs as little as an async task.",
        "Una gorrutina, un hilo virtual o una corrutina cuesta tan poco como una tarea asíncrona.",
    ),
    why: text(
        "All of them wait without a thread of the operating system; they differ in what they \
         keep meanwhile: a task the variables that it needs, the others a stack. Our coroutines \
         are compared with Tokio's tasks in the same program, by CPU per request and by memory per \
         idle client. Servers in other languages are compared with hyper, an async server in Rust, \
         in the same blocks: that compares whole runtimes, compilers and HTTP libraries, not the \
         coroutines alone. As little is taken to mean at most a tenth more.",
        "Todos ellos esperan sin un hilo del sistema operativo; difieren en lo que conservan \
         mientras tanto: una tarea, las variables que necesita; los otros, una pila. Nuestras \
         corrutinas se comparan con las tareas de Tokio en el mismo programa, por CPU por petición \
         y por memoria por cliente inactivo. Los servidores en otros lenguajes se comparan con \
         hyper, un servidor asíncrono en Rust, en los mismos bloques: así se comparan entornos, \
         compiladores y bibliotecas HTTP enteros, no solo las corrutinas. Por tan poco se entiende \
         como mucho una décima parte más.",
    ),
    experiments: &["equal-load", "targets", "idle"],
    servers: &[
        "coroutine-per-client",
        "tokio",
        "iterative",
        "epoll",
        "go",
        "java-virtual-threads",
        "erlang",
        "hyper",
    ],
    decide: |analysis| {
        const COROUTINES: &str = "coroutine-per-client";
        let ours = |at| analysis.against(at, COROUTINES, TOKIO, CpuPerRequest, AS_LITTLE);
        let other = |target| {
            let cpu = |at| analysis.against(at, target, "hyper", CpuPerRequest, AS_LITTLE);
            [cpu(TARGETS), cpu(TARGETS_KEPT)]
        };
        let memory = analysis.memory_against(COROUTINES, TOKIO, AS_LITTLE);
        by_part(parts! {
            "our coroutines, CPU", "nuestras corrutinas, CPU" => [ours(NEW), ours(KEPT)];
            "our coroutines, memory", "nuestras corrutinas, memoria" => [memory];
            "goroutines of Go", "gorrutinas de Go" => other("go");
            "virtual threads of Java", "hilos virtuales de Java" => other("java-virtual-threads");
            "processes of Erlang", "procesos de Erlang" => other("erlang");
        })
    },
    left_out: text(
        "Memory of idle clients in other languages; async in those languages.",
        "La memoria de los clientes inactivos en otros lenguajes; lo asíncrono en esos lenguajes.",
    ),
};

pub(super) const VIRTUAL_THREADS: Claim = Claim {
    id: "virtual-threads-replace-async",
    statement: text(
        "Virtual threads make async unnecessary.",
        "Los hilos virtuales hacen innecesario lo asíncrono.",
    ),
    why: text(
        "Code that reads as if it blocked, on a stack that is set aside while it waits, would be \
         all that is needed if it served waiting clients as cheaply as async does. 64 and 1,024 \
         clients keep their connections, and each answer waits: CPU per request against Tokio's at \
         the same rate. Unnecessary is taken to mean at most a tenth more. Each implementation is \
         decided by itself; other languages bring their own runtime and HTTP library along.",
        "Un código que se lee como si bloqueara, sobre una pila que se aparta mientras espera, \
         bastaría si atendiera a clientes que esperan tan barato como lo asíncrono. 64 y 1024 \
         clientes mantienen su conexión, y cada respuesta espera: CPU por petición frente a la de \
         Tokio al mismo ritmo. Por innecesario se entiende como mucho una décima parte más. Cada \
         implementación se decide por separado; los otros lenguajes traen su propio entorno y su \
         biblioteca HTTP.",
    ),
    experiments: &["wait"],
    servers: &[
        "coroutine-per-client",
        "tokio",
        "pre-threaded",
        "go",
        "java-virtual-threads",
    ],
    decide: |analysis| {
        let findings = |server| {
            ["10 ms, 64 clients", "10 ms, 1024 clients"].map(|level| {
                let at = LevelKey::new("wait", level);
                analysis.against(at, server, TOKIO, CpuPerRequest, AS_LITTLE)
            })
        };
        by_part(parts! {
            "our coroutines", "nuestras corrutinas" => findings("coroutine-per-client");
            "goroutines of Go", "gorrutinas de Go" => findings("go");
            "virtual threads of Java", "hilos virtuales de Java" => findings("java-virtual-threads");
        })
    },
    left_out: text(
        "Code that holds a lock or calls into C while it waits, which ties a virtual thread to a \
         thread of the operating system.",
        "Código que retiene un cerrojo o llama a C mientras espera, lo que ata un hilo virtual a \
         un hilo del sistema operativo.",
    ),
};

pub(super) const NO_GIL: Claim = Claim {
    id: "no-gil",
    statement: text(
        "Without its lock, Python's threads use every core.",
        "Sin su cerrojo, los hilos de Python aprovechan todos los núcleos.",
    ),
    why: text(
        "An interpreter built without the global lock may run several threads at a time. The same \
         server computes on one CPU and on two. Use is taken to mean half as much goodput again \
         from the second CPU, which the interpreter with its lock must not reach.",
        "Un intérprete construido sin el cerrojo global puede ejecutar varios hilos a la vez. El \
         mismo servidor calcula en una CPU y en dos. Por aprovechar se entiende la mitad más de \
         rendimiento útil con la segunda CPU, que el intérprete con cerrojo no debe alcanzar.",
    ),
    experiments: &["scaling"],
    servers: &["iterative", "python-threads", "python-threads-no-gil"],
    decide: |analysis| {
        all([
            analysis.second_cpu("python-threads-no-gil", HALF_MORE),
            analysis.second_cpu("python-threads", Below(1.5)),
        ])
    },
    left_out: text(
        "What an interpreter without the lock loses on one CPU.",
        "Lo que un intérprete sin el cerrojo pierde en una CPU.",
    ),
};

pub(super) const NODE: Claim = Claim {
    id: "one-node-process",
    statement: text(
        "Node needs a cluster to use a second core.",
        "Node necesita un clúster para aprovechar un segundo núcleo.",
    ),
    why: text(
        "Node runs a program's code in one loop on one thread; a cluster is several such \
         processes behind one port. The same program computes on one CPU and on two, alone and as \
         a cluster of two. Use is taken to mean half as much goodput again from the second CPU.",
        "Node ejecuta el código de un programa en un bucle de un solo hilo; un clúster son varios \
         procesos así tras un mismo puerto. El mismo programa calcula en una CPU y en dos, solo y \
         como clúster de dos. Por aprovechar se entiende la mitad más de rendimiento útil con la \
         segunda CPU.",
    ),
    experiments: &["scaling"],
    servers: &["iterative", "node", "node-cluster"],
    decide: |analysis| {
        all([
            analysis.second_cpu("node", Below(1.5)),
            analysis.second_cpu("node-cluster", HALF_MORE),
        ])
    },
    left_out: text(
        "Worker threads, which a program has to be written for.",
        "Los hilos de trabajo, para los que hay que escribir el programa.",
    ),
};
