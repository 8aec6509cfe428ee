import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import javax.jms.*;

/** Queue browsers: they see what is there, in order, and take nothing. */
class BrowserChecks {
    private static String browse(QueueBrowser browser) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (Enumeration<?> all = browser.getEnumeration(); all.hasMoreElements();) {
            texts.add(((TextMessage) all.nextElement()).getText());
        }
        return String.join(" ", texts);
    }

    static void seesAllAndTakesNothing(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Scene.check(browse(session.createBrowser(scene.queue)), "");
        scene.send("1", "2", "3");
        Scene.check(browse(session.createBrowser(scene.queue)), "1 2 3");
        QueueBrowser browser = session.createBrowser(scene.queue);
        Scene.check(browse(browser), "1 2 3");
        browser.close();
        Scene.check(scene.left(), "1 2 3");
        Scene.check(browse(session.createBrowser(scene.queue)), "");
    }

    static void inEachMode(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        for (int mode : new int[] {Session.CLIENT_ACKNOWLEDGE, Session.DUPS_OK_ACKNOWLEDGE, Session.SESSION_TRANSACTED, 4}) {
            Connection connection = scene.open();
            Session session = connection.createSession(mode == Session.SESSION_TRANSACTED, mode);
            Scene.check(browse(session.createBrowser(scene.queue)), "1 2 3");
            Scene.check(browse(session.createBrowser(scene.queue)), "1 2 3");
            if (mode == Session.SESSION_TRANSACTED) {
                session.commit();
            }
            connection.close();
        }
        Scene.check(scene.left(), "1 2 3");
    }

    static void seesWhatIsInFlight(Scene scene) throws Exception {
        scene.send("1", "2", "3");
        Session session = scene.session(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Message first = Scene.next(consumer);
        Session other = scene.session(Session.AUTO_ACKNOWLEDGE);
        Scene.check(browse(other.createBrowser(scene.queue)), "1 2 3");
        first.acknowledge();
        Scene.check(browse(session.createBrowser(scene.queue)), "2 3"); // over the same connection, behind the acknowledgement
        Scene.check(Scene.next(consumer, 2), "2 3");
    }

    static void selects(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int i = 0; i < 6; i++) {
            Message message = session.createTextMessage("m" + i);
            message.setIntProperty("n", i);
            producer.send(message);
        }
        Scene.check(browse(session.createBrowser(scene.queue, "n > 2 AND n <> 4")), "m3 m5");
        Scene.refused(InvalidSelectorException.class, "", () -> session.createBrowser(scene.queue, "n >"));
    }

    static void smallPrefetch(Scene scene) throws Exception {
        String[] texts = new String[50];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = "m" + i;
        }
        scene.send(texts);
        for (int prefetch : new int[] {1, 2, 10}) {
            var factory = scene.factory();
            factory.getPrefetchPolicy().setQueueBrowserPrefetch(prefetch);
            Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
            Scene.check(browse(session.createBrowser(scene.queue)), String.join(" ", texts));
        }
    }

    static void doesNotSeeWhatHasExpired(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.send(session.createTextMessage("expires"), DeliveryMode.PERSISTENT, 4, 100);
        producer.send(session.createTextMessage("stays"));
        Thread.sleep(300);
        Scene.check(browse(session.createBrowser(scene.queue)), "stays");
    }
}
