import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A thread for each client, in Java: {@code Threads platform|virtual PORT}. Both kinds run the same blocking code. */
public final class Threads {
    private static final int BACKLOG = 1024;
    private static final int DEADLINE_MS = 5_000;
    private static final int HEAD_MAX = 16 * 1024;
    private static final int WAIT_MS_MAX = 10_000;
    private static final int ROUNDS_MAX = 100_000_000;

    public static void main(String[] arguments) throws Exception {
        ExecutorService threads = arguments[0].equals("virtual") ? virtual() : Executors.newCachedThreadPool();
        try (var listener = new ServerSocket(Integer.parseInt(arguments[1]), BACKLOG, InetAddress.getByName("127.0.0.1"))) {
            while (true) {
                Socket client = listener.accept();
                threads.execute(() -> converse(client));
            }
        }
    }

    /** By its name, so that a compiler older than Java 21 can compile this file, too. */
    private static ExecutorService virtual() throws ReflectiveOperationException {
        return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    }

    private static void converse(Socket client) {
        try (client) {
            client.setSoTimeout(DEADLINE_MS);
            client.setTcpNoDelay(true);
            var input = new BufferedInputStream(client.getInputStream());
            for (String head = readHead(input); head != null; head = readHead(input)) {
                boolean last = head.toLowerCase().contains("\r\nconnection: close");
                client.getOutputStream().write(answer(head, last));
                if (last) {
                    return;
                }
            }
        } catch (IOException gone) {
            // A client that leaves, or says nothing for too long, affects no other client.
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The bytes up to the empty line; null if they end before it. */
    private static String readHead(InputStream input) throws IOException {
        var head = new StringBuilder();
        while (head.length() < HEAD_MAX) {
            int next = input.read();
            if (next < 0) {
                return null;
            }
            head.append((char) next);
            if (next == '\n' && head.length() >= 4 && head.indexOf("\r\n\r\n", head.length() - 4) >= 0) {
                return head.toString();
            }
        }
        return null;
    }

    private static byte[] answer(String head, boolean last) throws InterruptedException {
        String[] line = head.substring(0, head.indexOf("\r\n")).split(" ");
        String body = line.length == 3 && line[0].equals("GET") ? content(line[1]) : null;
        String status = body == null ? "404 Not Found" : "200 OK";
        String shown = body == null ? "not found\n" : body;
        return ("HTTP/1.1 " + status + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + shown.length()
                + (last ? "\r\nConnection: close" : "") + "\r\n\r\n" + shown).getBytes(StandardCharsets.US_ASCII);
    }

    /** What a path leads to; null if it leads nowhere. */
    private static String content(String path) throws InterruptedException {
        if (path.equals("/")) {
            return "Hola, cliente!";
        }
        var parts = path.split("/", -1);
        if (parts.length != 3 || !parts[2].matches("[0-9]{1,9}")) {
            return null;
        }
        int number = Integer.parseInt(parts[2]);
        if (parts[1].equals("wait") && number <= WAIT_MS_MAX) {
            Thread.sleep(number);
            return "waited " + number + " ms\n";
        }
        return parts[1].equals("compute") && number <= ROUNDS_MAX ? Long.toUnsignedString(compute(number)) : null;
    }

    /** So many rounds of xorshift64*, as in Hola's /compute. */
    private static long compute(int rounds) {
        long state = 0x9E3779B97F4A7C15L;
        for (int round = 0; round < rounds; round++) {
            state ^= state >>> 12;
            state ^= state << 25;
            state ^= state >>> 27;
        }
        return state * 0x2545F4914F6CDD1DL;
    }
}
