import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs checks of brokers: twinmesh|classic THREADS URL CLASS,CLASS.METHOD... URL CLASS,CLASS... Each method of a class that takes a Scene
 * is a check. A line tells what came of it: "ok INDEX CLASS.METHOD" or "failed INDEX CLASS.METHOD: why", with the index of the URL
 * among them; or on Classic "ours INDEX CLASS.METHOD: why" of a check that is not run there.
 */
public class Checks {
    private static final int LONGEST_SECONDS = 60;

    private record Check(int index, String url, Method method) {
        String name() {
            return method.getDeclaringClass().getSimpleName() + "." + method.getName();
        }

        String run() {
            try (Scene scene = new Scene(url, name() + "." + index)) {
                method.invoke(null, scene);
                return "ok " + index + " " + name();
            } catch (InvocationTargetException e) {
                return failed(e.getCause());
            } catch (Throwable e) {
                return failed(e);
            }
        }

        /** Why it is another one on Classic, null if it is the same. */
        String ours() {
            Ours ours = method.getAnnotation(Ours.class);
            if (ours == null) {
                ours = method.getDeclaringClass().getAnnotation(Ours.class);
            }
            return ours == null ? null : "ours " + index + " " + name() + ": " + ours.value();
        }

        String failed(Throwable why) {
            StringBuilder text = new StringBuilder("failed " + index + " " + name() + ": ");
            for (Throwable cause = why; cause != null; cause = cause.getCause()) {
                text.append(cause).append("; ");
            }
            for (StackTraceElement frame : why.getStackTrace()) {
                if (frame.getClassName().startsWith(method.getDeclaringClass().getName())) {
                    text.append(frame).append("; ");
                }
            }
            return text.toString().replace('\n', ' ');
        }
    }

    public static void main(String[] args) throws Exception {
        boolean classic = args[0].equals("classic");
        ExecutorService threads = Executors.newFixedThreadPool(Integer.parseInt(args[1]));
        List<Check> checks = new ArrayList<>();
        List<Future<String>> outcomes = new ArrayList<>();
        for (int i = 2; i < args.length; i += 2) {
            for (String name : args[i + 1].split(",")) {
                for (Method method : methods(name)) {
                    Check check = new Check(i / 2 - 1, args[i], method);
                    String ours = classic ? check.ours() : null;
                    checks.add(check);
                    outcomes.add(ours == null ? threads.submit(check::run) : CompletableFuture.completedFuture(ours));
                }
            }
        }
        for (int i = 0; i < outcomes.size(); i++) {
            System.out.println(outcome(checks.get(i), outcomes.get(i)));
        }
        System.exit(0); // also if a check hangs
    }

    /** The checks of a class, or the one that the name says. */
    private static List<Method> methods(String name) throws ClassNotFoundException {
        String[] parts = name.split("\\.");
        return Arrays.stream(Class.forName(parts[0]).getDeclaredMethods())
            .filter(m -> parts.length == 1 || m.getName().equals(parts[1]))
            .filter(m -> !m.isSynthetic() && !Modifier.isPrivate(m.getModifiers()))
            .filter(m -> Arrays.equals(m.getParameterTypes(), new Class<?>[] {Scene.class}))
            .sorted(Comparator.comparing(Method::getName)).toList();
    }

    private static String outcome(Check check, Future<String> outcome) throws Exception {
        try {
            return outcome.get(LONGEST_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return "failed " + check.index() + " " + check.name() + ": it hangs";
        }
    }
}
