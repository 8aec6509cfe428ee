import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.naming.Context;
import javax.naming.NameNotFoundException;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;
import org.objectweb.jtests.jms.admin.Admin;

/**
 * What the conformance tests ask of a provider. The broker makes destinations when they are used, so names are all there is; each
 * test gets new ones, so that none finds what another has left.
 */
public class Provider implements Admin {
    private static final Map<String, Object> NAMES = new ConcurrentHashMap<>();
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @Override
    public String getName() {
        return "Twinmesh";
    }

    @Override
    public Context createContext() {
        return (Context) Proxy.newProxyInstance(Provider.class.getClassLoader(), new Class<?>[] {Context.class}, (proxy, method, args) -> {
            if (!method.getName().equals("lookup")) {
                return null;
            }
            Object found = NAMES.get(args[0]);
            if (found == null) {
                throw new NameNotFoundException(args[0].toString());
            }
            return found;
        });
    }

    private static void createFactory(String name) {
        var factory = new ActiveMQConnectionFactory(System.getenv("JMS_USERNAME"), System.getenv("JMS_PASSWORD"), System.getenv("JMS_URL"));
        factory.setTrustAllPackages(true);
        NAMES.put(name, factory);
    }

    @Override
    public void createConnectionFactory(String name) {
        createFactory(name);
    }

    @Override
    public void createQueueConnectionFactory(String name) {
        createFactory(name);
    }

    @Override
    public void createTopicConnectionFactory(String name) {
        createFactory(name);
    }

    @Override
    public void createQueue(String name) {
        NAMES.put(name, new ActiveMQQueue(name + NUMBER.incrementAndGet()));
    }

    @Override
    public void createTopic(String name) {
        NAMES.put(name, new ActiveMQTopic(name + NUMBER.incrementAndGet()));
    }

    @Override
    public void deleteQueue(String name) {
        NAMES.remove(name);
    }

    @Override
    public void deleteTopic(String name) {
        NAMES.remove(name);
    }

    @Override
    public void deleteConnectionFactory(String name) {
        NAMES.remove(name);
    }

    @Override
    public void deleteQueueConnectionFactory(String name) {
        NAMES.remove(name);
    }

    @Override
    public void deleteTopicConnectionFactory(String name) {
        NAMES.remove(name);
    }

    @Override
    public void startServer() {}

    @Override
    public void stopServer() {}

    @Override
    public void start() {}

    @Override
    public void stop() {}
}
