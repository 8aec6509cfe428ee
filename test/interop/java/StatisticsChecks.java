import java.util.Collections;
import java.util.TreeSet;
import javax.jms.*;
import org.apache.activemq.command.ActiveMQQueue;

/** What the broker tells of itself to who asks. */
class StatisticsChecks {
    private static final String ASK = "ActiveMQ.Statistics.";

    private interface Change {
        void on(Message message) throws JMSException;
    }

    /** Asks, and returns where the answers come. */
    private static MessageConsumer ask(Scene scene, String name, Change change) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Queue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        Message question = session.createMessage();
        question.setJMSReplyTo(replies);
        question.setJMSCorrelationID("42");
        change.on(question);
        session.createProducer(new ActiveMQQueue(ASK + name)).send(question);
        return consumer;
    }

    private static MapMessage answer(Scene scene, String name) throws Exception {
        MapMessage answer = (MapMessage) Scene.next(ask(scene, name, m -> { }));
        Scene.check(answer.getJMSCorrelationID(), "42");
        Scene.check(answer.getJMSPriority(), Message.DEFAULT_PRIORITY);
        Scene.check(answer.getJMSTimestamp() > 0, true);
        return answer;
    }

    private static String tell(MapMessage answer, String... keys) throws JMSException {
        StringBuilder told = new StringBuilder();
        for (String key : keys) {
            told.append(key).append('=').append(answer.getObject(key)).append(' ');
        }
        return told.toString().trim();
    }

    static void ofAQueue(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.next(consumer).acknowledge();
        MapMessage answer = answer(scene, "Destination." + scene.name);
        Scene.check(tell(answer, "destinationName", "size", "enqueueCount", "dequeueCount", "dispatchCount", "inflightCount", "consumerCount"),
            "destinationName=queue://" + scene.name + " size=2 enqueueCount=3 dequeueCount=1 dispatchCount=3 inflightCount=2 consumerCount=1");
        Scene.check(answer.getLong("averageMessageSize") > 0, true);
    }

    static void theKeys(Scene scene) throws Exception {
        scene.send("1");
        MapMessage answer = answer(scene, "Destination." + scene.name);
        Scene.check(new TreeSet<>(Collections.list(answer.getMapNames())), "[averageEnqueueTime, averageMessageSize, brokerId, brokerName, consumerCount, "
            + "dequeueCount, destinationName, dispatchCount, enqueueCount, expiredCount, inflightCount, maxEnqueueTime, memoryLimit, "
            + "memoryPercentUsage, memoryUsage, messagesCached, minEnqueueTime, producerCount, size]");
        for (String key : new String[] {"size", "memoryLimit", "producerCount"}) {
            Scene.check(answer.getObject(key).getClass(), Long.class);
        }
        Scene.check(answer.getObject("memoryPercentUsage").getClass(), Integer.class);
        Scene.check(answer.getObject("averageEnqueueTime").getClass(), Double.class);
    }

    static void byPatternWithAnEnd(Scene scene) throws Exception {
        for (String part : new String[] {"a", "b"}) {
            Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
            session.createProducer(new ActiveMQQueue(scene.name + "." + part)).send(session.createMessage());
        }
        MessageConsumer answers = ask(scene, "Destination." + scene.name + ".*", m -> m.setBooleanProperty(ASK + "Destination.List.End.With.Null", true));
        TreeSet<String> names = new TreeSet<>();
        for (MapMessage answer; (answer = (MapMessage) Scene.next(answers)).getMapNames().hasMoreElements();) {
            names.add(answer.getString("destinationName"));
        }
        Scene.check(names, "[queue://" + scene.name + ".a, queue://" + scene.name + ".b]");
    }

    static void theFirstMessage(Scene scene) throws Exception {
        scene.send("1");
        MessageConsumer answers = ask(scene, "Destination." + scene.name, m -> m.setBooleanProperty(ASK + "Destination.Include.First.Message.Timestamp", true));
        long age = System.currentTimeMillis() - ((MapMessage) Scene.next(answers)).getLong("firstMessageTimestamp");
        Scene.check(age >= 0 && age < 60_000, true);
    }

    static void ofTheBroker(Scene scene) throws Exception {
        scene.send("1");
        MapMessage answer = answer(scene, "Broker");
        Scene.check(answer.getLong("enqueueCount") > 0, true);
        Scene.check(answer.getLong("storeLimit") > 0, true);
        Scene.check(new TreeSet<>(Collections.list(answer.getMapNames())), "[averageEnqueueTime, averageMessageSize, brokerId, brokerName, consumerCount, "
            + "dataDirectory, dequeueCount, dispatchCount, enqueueCount, expiredCount, inflightCount, maxEnqueueTime, memoryLimit, "
            + "memoryPercentUsage, memoryUsage, messagesCached, minEnqueueTime, openwire, producerCount, size, ssl, stomp, stomp+ssl, "
            + "storeLimit, storePercentUsage, storeUsage, tempLimit, tempPercentUsage, tempUsage, vm]");
    }
}
