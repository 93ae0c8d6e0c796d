import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** A pool of threads, each with one client at a time: java Pool PORT. */
public class Pool {
    static final int THREADS = 8;
    static final int HEAD_MAX = 16 * 1024;

    public static void main(String[] arguments) throws Exception {
        var pool = Executors.newFixedThreadPool(THREADS);
        var port = Integer.parseInt(arguments[0]);
        try (var listener = new ServerSocket(port, 128, InetAddress.getLoopbackAddress())) {
            while (true) {
                try {
                    var client = listener.accept();
                    pool.execute(() -> converse(client));
                } catch (IOException error) {
                    Thread.sleep(50); // No descriptor: clients may leave.
                }
            }
        }
    }

    static void converse(Socket client) {
        try (client) {
            var answer = respond(readHead(client.getInputStream()));
            client.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException gone) {
            // The client has left.
        }
    }

    /** Reads until the head is complete, or too long. */
    static String readHead(InputStream input) throws IOException {
        var head = new StringBuilder();
        var buffer = new byte[4096];
        while (head.indexOf("\r\n\r\n") < 0 && head.length() <= HEAD_MAX) {
            int count = input.read(buffer);
            if (count < 0) throw new IOException("no whole request");
            head.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
        }
        return head.toString();
    }

    static String respond(String head) {
        if (head.length() > HEAD_MAX) return answer("431 Request Header Fields Too Large", "", "");
        var words = head.split("\r\n", 2)[0].split(" ");
        if (words.length != 3 || !words[2].startsWith("HTTP/1.")) return answer("400 Bad Request", "", "");
        if (!words[1].equals("/")) return answer("404 Not Found", "", "");
        var greeting = "Hola, cliente!";
        return switch (words[0]) {
            case "GET" -> answer("200 OK", greeting, greeting);
            case "HEAD" -> answer("200 OK", greeting, "");
            default -> answer("405 Method Not Allowed", "", "");
        };
    }

    /** An answer that declares the length of `whole`, and sends `body`. */
    static String answer(String status, String whole, String body) {
        return "HTTP/1.1 " + status + "\r\nContent-Length: " + whole.length() + "\r\nConnection: close\r\n\r\n" + body;
    }
}
