import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.transport.DefaultTransportListener;

/** Variants of failover: URLs while the broker is killed. */
class VariantFailoverChecks {
    private static void goesOn(Scene scene, String options) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setBrokerURL("failover:(" + String.join(",", addresses(scene)) + ")?maxReconnectDelay=100&" + options);
        ActiveMQConnection connection = (ActiveMQConnection) scene.open(factory);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        TemporaryQueue replies = session.createTemporaryQueue();
        producer.send(session.createTextMessage("before"));
        Scene.check(Scene.next(consumer, 1), "before");
        CountDownLatch back = new CountDownLatch(1);
        connection.addTransportListener(new DefaultTransportListener() {
            @Override
            public void transportResumed() {
                back.countDown();
            }
        });
        Fault.kill();
        Scene.check(back.await(Scene.PATIENCE, TimeUnit.MILLISECONDS), true);
        producer.send(session.createTextMessage("after"));
        Scene.check(Scene.next(consumer, 1), "after");
        session.createProducer(replies).send(session.createTextMessage("reply"));
        Scene.check(Scene.next(session.createConsumer(replies), 1), "reply");
        connection.close();
    }

    private static List<String> addresses(Scene scene) {
        List<String> all = new ArrayList<>();
        for (Matcher m = Pattern.compile("tcp://[^?,)]+").matcher(scene.url); m.find();) {
            all.add(m.group());
        }
        return all;
    }

    static void inOrder(Scene scene) throws Exception {
        goesOn(scene, "randomize=false");
    }

    static void withABackup(Scene scene) throws Exception {
        goesOn(scene, "backup=true");
    }

    static void withAPriority(Scene scene) throws Exception {
        goesOn(scene, "priorityBackup=true&randomize=false");
    }

    static void withTrackedMessages(Scene scene) throws Exception {
        goesOn(scene, "trackMessages=true");
    }

    static void withATimeout(Scene scene) throws Exception {
        goesOn(scene, "timeout=30000&maxReconnectAttempts=1000");
    }

    static void withoutUpdates(Scene scene) throws Exception {
        goesOn(scene, "updateURIsSupported=false&trackTransactionProducers=false");
    }
}
