import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.ActiveMQSession;

/** What each acknowledge mode consumes, and what a session gives back. */
class AcknowledgeChecks {
    static void auto(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Scene.check(Scene.next(session.createConsumer(scene.queue), 2), "1 2");
        session.close();
        Scene.check(scene.left(), "3");
    }

    /** A listener that throws gets the message once more, before the next one (JMS 1.1 §4.5.2). */
    static void autoWithAListenerThatThrows(Scene scene) throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue).setMessageListener(message -> {
            String told = told(message);
            got.add(told);
            if (told.equals("1")) {
                throw new IllegalArgumentException("thrown by the check's listener");
            }
        });
        scene.send("1", "2");
        for (String wanted : List.of("1", "1/2", "2")) {
            Scene.check(got.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS), wanted);
        }
    }

    static String told(Message message) {
        try {
            return Scene.tell(message);
        } catch (JMSException e) {
            return e.toString();
        }
    }

    /** Acknowledging one message acknowledges all that the session has consumed (JMS 1.1 §4.4.11). */
    static void client(Scene scene) throws Exception {
        scene.send("1", "2", "3", "4");
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.next(consumer);
        Message second = Scene.next(consumer);
        Scene.next(consumer);
        second.acknowledge();
        session.close();
        Scene.check(scene.left(), "4");
    }

    static void clientThatRecovers(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(Scene.next(consumer, 2), "1 2");
        session.recover();
        Scene.check(Scene.next(consumer, 3), "1/2 2/2 3");
        session.recover();
        Scene.check(Scene.next(consumer, 2), "1/3 2/3");
        Message third = Scene.next(consumer);
        Scene.check(Scene.tell(third), "3/2");
        third.acknowledge();
        session.close();
        Scene.check(scene.left(), "");
    }

    static void clientThatAcknowledgesNothing(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        Scene.check(Scene.next(session.createConsumer(scene.queue), 2), "1 2");
        session.close();
        Scene.check(scene.left(), "1/2 2/2 3");
    }

    static void dupsOk(Scene scene) throws Exception {
        String[] texts = "1 2 3 4 5 6 7 8 9 10".split(" ");
        scene.send(texts);
        Session session = scene.session(Session.DUPS_OK_ACKNOWLEDGE);
        Scene.check(Scene.next(session.createConsumer(scene.queue), 10), String.join(" ", texts));
        session.close();
        Scene.check(scene.left(), "");
    }

    static void individual(Scene scene) throws Exception {
        scene.send("1", "2", "3", "4");
        Session session = scene.session(ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.next(consumer);
        Message second = Scene.next(consumer);
        Scene.next(consumer);
        second.acknowledge();
        session.close();
        Scene.check(scene.left(), "1/2 3/2 4");
    }

    static void transacted(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(Scene.next(consumer, 2), "1 2");
        session.rollback();
        Scene.check(Scene.next(consumer, 2), "1/2 2/2");
        session.commit();
        Scene.check(Scene.next(consumer, 1), "3");
        session.close();
        Scene.check(scene.left(), "3/2");
    }
}
