import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/** What can be done to the broker that the program talks to. Who runs the program does it, asked on standard output. */
final class Fault {
    private static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in));

    /** Kills it at once. */
    static void kill() throws IOException {
        ask("kill");
    }

    /** Kills it as soon as it has said something, which the program does not get. */
    static void killAtTheNextAnswer() throws IOException {
        ask("kill at the next answer");
    }

    /** Kills it as soon as the program has said something, which the broker does not get. */
    static void killAtTheNextRequest() throws IOException {
        ask("kill at the next request");
    }

    private static void ask(String what) throws IOException {
        System.out.println(what);
        Scene.check(ANSWERS.readLine(), "done");
    }
}
