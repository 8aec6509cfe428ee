import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.jms.*;
import org.apache.activemq.command.ActiveMQQueue;
import org.apache.activemq.command.ActiveMQTopic;

/** Consumers of several destinations: by wildcards, also of what comes later, and by names between commas. */
class WildcardChecks {
    private static void send(Scene scene, Destination destination, String... texts) throws JMSException {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        for (String text : texts) {
            session.createProducer(destination).send(session.createTextMessage(text));
        }
        connection.close();
    }

    private static Queue queue(Scene scene, String name) {
        return new ActiveMQQueue(scene.name + "." + name);
    }

    private static String sorted(MessageConsumer consumer, int count) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(((TextMessage) Scene.next(consumer)).getText());
        }
        Collections.sort(texts);
        return String.join(" ", texts);
    }

    static void queuesThatThereAreAndThatComeLater(Scene scene) throws Exception {
        send(scene, queue(scene, "a"), "1");
        MessageConsumer one = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(queue(scene, "*"));
        Scene.check(Scene.next(one, 1), "1");
        send(scene, queue(scene, "b"), "2");
        send(scene, queue(scene, "b.c"), "3");
        Scene.check(Scene.next(one, 1), "2");
        Scene.nothing(one);
        one.close();
        MessageConsumer all = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(queue(scene, ">"));
        Scene.check(Scene.next(all, 1), "3");
        send(scene, queue(scene, "a"), "4");
        Scene.check(Scene.next(all, 1), "4");
    }

    static void eachModeOfAcknowledgement(Scene scene) throws Exception {
        for (int mode : new int[] {Session.AUTO_ACKNOWLEDGE, Session.CLIENT_ACKNOWLEDGE, Session.DUPS_OK_ACKNOWLEDGE, Session.SESSION_TRANSACTED, 4}) {
            Connection connection = scene.open();
            Session session = connection.createSession(mode == Session.SESSION_TRANSACTED, mode);
            MessageConsumer consumer = session.createConsumer(queue(scene, mode + ".>"));
            for (int i = 0; i < 10; i++) {
                send(scene, queue(scene, mode + "." + i % 3), "m" + i);
            }
            for (int i = 0; i < 10; i++) {
                Message message = Scene.next(consumer);
                if (mode == 4 || mode == Session.CLIENT_ACKNOWLEDGE && i == 9) {
                    message.acknowledge();
                }
            }
            if (mode == Session.SESSION_TRANSACTED) {
                session.commit();
            }
            connection.close();
            for (int i = 0; i < 3; i++) {
                Scene.check(scene.left(queue(scene, mode + "." + i)), "");
            }
        }
    }

    static void aRollbackOverSeveralQueues(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(queue(scene, "*"));
        send(scene, queue(scene, "a"), "1");
        send(scene, queue(scene, "b"), "2");
        Scene.check(sorted(consumer, 2), "1 2");
        session.rollback();
        Scene.check(sorted(consumer, 2), "1 2");
        session.commit();
        Scene.check(scene.left(queue(scene, "a")) + scene.left(queue(scene, "b")), "");
    }

    static void pulls(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + ".*?consumer.prefetchSize=0"));
        Scene.check(consumer.receiveNoWait(), null);
        Scene.check(consumer.receive(Scene.SILENCE), null);
        send(scene, queue(scene, "a"), "1");
        send(scene, queue(scene, "b"), "2");
        Scene.check(sorted(consumer, 2), "1 2");
        send(scene, queue(scene, "c"), "3");
        Scene.check(((TextMessage) consumer.receive(Scene.PATIENCE)).getText(), "3");
        Scene.check(consumer.receiveNoWait(), null);
    }

    static void severalQueues(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        send(scene, queue(scene, "a"), "1");
        send(scene, queue(scene, "b"), "2");
        MessageConsumer consumer = session.createConsumer(new ActiveMQQueue(scene.name + ".a," + scene.name + ".b"));
        Scene.check(sorted(consumer, 2), "1 2");
        send(scene, queue(scene, "b"), "3");
        Scene.check(Scene.next(consumer, 1), "3");
    }

    static void topics(Scene scene) throws Exception {
        MessageConsumer one = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(new ActiveMQTopic(scene.name + ".*"));
        MessageConsumer all = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(new ActiveMQTopic(scene.name + ".>"));
        send(scene, new ActiveMQTopic(scene.name + ".a"), "1", "2");
        send(scene, new ActiveMQTopic(scene.name + ".a.b"), "3");
        Scene.check(Scene.next(one, 2), "1 2");
        Scene.nothing(one);
        Scene.check(Scene.next(all, 3), "1 2 3");
    }

    /** Everything includes what brokers tell on their advisory topics. */
    static void everythingIncludesAdvisories(Scene scene) throws Exception {
        MessageConsumer all = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(new ActiveMQTopic(">"));
        String advisory = "ActiveMQ.Advisory.Consumer.Queue." + scene.name;
        scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        for (long end = System.currentTimeMillis() + Scene.PATIENCE; System.currentTimeMillis() < end;) {
            Message message = all.receive(Scene.PATIENCE);
            if (message != null && ((Topic) message.getJMSDestination()).getTopicName().equals(advisory)) {
                return;
            }
        }
        throw new AssertionError("no advisory");
    }
}
