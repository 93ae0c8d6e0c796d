//! How to read a report, term by term.

use hola_servers::models::Bilingual;

use super::{CPU, DELTA, GOOD, MEMORY, P_HOLM, PEAKS, TIMES_CONTROL};
use crate::language::text;

pub(in crate::report) const READING_TERMS: [(Bilingual, Bilingual); 13] = [
    (
        text("Trial", "Ensayo"),
        text(
            "One fresh server process under one load. It is the unit of everything here: intervals are over trials, never \
             over requests.",
            "Un proceso servidor recién creado bajo una carga. Es la unidad de todo lo que hay aquí: los intervalos son sobre \
             ensayos, nunca sobre peticiones.",
        ),
    ),
    (
        CPU,
        text(
            "CPU time the server spent on a request, user and system, its threads and children included; starting and \
             stopping the server is not. It depends least on who else uses the machine, so where costs are asked for, the \
             verdict rests on it.",
            "Tiempo de CPU que el servidor gastó en una petición, de usuario y de sistema, con sus hilos e hijos; arrancar y \
             parar el servidor no entra. Es lo que menos depende de quién más use la máquina, así que, donde se pregunta por \
             costes, el veredicto se apoya en él.",
        ),
    ),
    (
        TIMES_CONTROL,
        text(
            "The model’s median over the control’s. 2.00× means twice the control.",
            "La mediana del modelo entre la del control. 2,00× significa el doble que el control.",
        ),
    ),
    (
        GOOD,
        text(
            "Requests answered with the right status and the right body, per second.",
            "Peticiones respondidas con el estado y el cuerpo correctos, por segundo.",
        ),
    ),
    (
        text("Response p50, p99", "Respuesta p50, p99"),
        text(
            "Time from the instant a request was due to the last byte of its answer: half of the requests, or 99 in 100, took \
             no longer. “≥” means that failed requests reach into the percentile, so the true value is at least this. The \
             table shows the median of the trials’ percentiles; the chart adds up all requests.",
            "Tiempo desde el instante en que tocaba una petición hasta el último octeto de su respuesta: la mitad de las \
             peticiones, o 99 de cada 100, no tardaron más. «≥» significa que las peticiones fallidas llegan hasta el \
             percentil, así que el valor verdadero es al menos ese. La tabla muestra la mediana de los percentiles de los \
             ensayos; el gráfico suma todas las peticiones.",
        ),
    ),
    (
        MEMORY,
        text(
            "Proportional set size summed over the server’s processes: a page shared by n processes counts 1/n in each.",
            "Tamaño proporcional del conjunto (PSS) sumado sobre los procesos del servidor: una página compartida por n \
             procesos cuenta 1/n en cada uno.",
        ),
    ),
    (
        PEAKS,
        text(
            "The most that existed at once.",
            "El máximo que existió a la vez.",
        ),
    ),
    (
        text("[low, high]", "[bajo; alto]"),
        text(
            "A 95 % bootstrap interval: 10,000 times the trials are drawn again at random, with replacement (for a ratio whole \
             rounds are, so that both models keep sharing a moment), and the middle 95 % of the results kept. Were the run \
             repeated many times, about that share of such intervals would hold the true figure; with few trials fewer do, as \
             the section before this one says.",
            "Un intervalo bootstrap del 95 %: 10 000 veces se vuelven a sacar ensayos al azar, con reposición (para una razón, \
             rondas enteras, para que ambos modelos sigan compartiendo el momento), y se conserva el 95 % central de los \
             resultados. Si la ejecución se repitiera muchas veces, más o menos esa proporción de los intervalos contendría la \
             cifra verdadera; con pocos ensayos son menos, como dice la sección anterior.",
        ),
    ),
    (
        text("Tie", "Empate"),
        text(
            "The interval of the ratio holds 1, or the difference is smaller than the noise floor, that is, than what one \
             model differed from itself by. It means “not told apart here”, not “equal”.",
            "El intervalo de la razón contiene el 1, o la diferencia es menor que el ruido de fondo, es decir, que lo que un \
             modelo se diferenció de sí mismo. Significa «aquí no se distinguen», no «son iguales».",
        ),
    ),
    (
        text(
            "Cheaper, dearer; faster, slower; shorter, longer",
            "Más barato, más caro; más rápido, más lento; más corto, más largo",
        ),
        text(
            "The difference from the control is larger than both.",
            "La diferencia con el control es mayor que ambos.",
        ),
    ),
    (
        text("Over control", "Sobre el control"),
        text(
            "Median of all differences between a trial of the model and one of the control (Hodges–Lehmann): what the model \
             adds, to a request where it is about costs.",
            "Mediana de todas las diferencias entre un ensayo del modelo y uno del control (Hodges–Lehmann): lo que el modelo \
             añade, a una petición cuando se trata de costes.",
        ),
    ),
    (
        DELTA,
        text(
            "Effect size from −1 to +1: +1 when every trial of the model lies above every one of the control, 0 when they are \
             mixed evenly.",
            "Tamaño del efecto de −1 a +1: +1 cuando cada ensayo del modelo queda por encima de todos los del control, 0 cuando \
             están mezclados por igual.",
        ),
    ),
    (
        P_HOLM,
        text(
            "Exact two-sided Mann–Whitney p-value of the figure that headlines, corrected by Holm for all models and levels of \
             the experiment. It supports the verdict, it does not make it.",
            "Valor p exacto y bilateral de Mann–Whitney de la cifra principal, corregido por Holm para todos los modelos y \
             niveles del experimento. Apoya el veredicto, no lo hace.",
        ),
    ),
];

pub(in crate::report) const CLOSED_LOOP: Bilingual = text(
    "The load is a closed loop: a client sends its next request only when it has the answer to the last. Clients = rate × \
     response time then holds by Little’s law, so throughput and mean response time are one figure seen from two sides. A \
     slow server is also asked less, which hides how long its queue would grow under independent clients.",
    "La carga es un bucle cerrado: un cliente envía su siguiente petición solo cuando tiene la respuesta a la anterior. \
     Entonces se cumple clientes = tasa × tiempo de respuesta, por la ley de Little, así que la tasa y el tiempo medio son una \
     sola cifra vista desde dos lados. Además, a un servidor lento se le pregunta menos, lo que oculta cuánto crecería su cola \
     con clientes independientes.",
);
pub(in crate::report) const OPEN_LOOP: Bilingual = text(
    "The load is an open loop: requests are due at planned instants, whatever the server does. Response time counts from the \
     planned instant, so waiting caused by a stall is not lost.",
    "La carga es un bucle abierto: las peticiones tocan en instantes planeados, haga lo que haga el servidor. El tiempo de \
     respuesta cuenta desde el instante planeado, así que la espera que causa un parón no se pierde.",
);
