import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.jms.*;

/** Ways to receive: prefetch, pulling, waiting, selecting, expiry. */
class ReceiveChecks {
    static void pullWithoutPrefetch(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=0"));
        Scene.check(consumer.receiveNoWait(), null);
        Scene.nothing(consumer);
        scene.send("1", "2", "3", "4");
        Scene.check(Scene.tell(consumer.receiveNoWait()), "1");
        Scene.check(Scene.next(consumer, 1), "2");
        Scene.check(Scene.tell(consumer.receive()), "3");
        Scene.check(scene.left(), "4"); // which the consumer did not take ahead
    }

    static void pullThatWaits(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=0"));
        CompletableFuture<String> received = CompletableFuture.supplyAsync(() -> {
            try {
                return Scene.tell(consumer.receive());
            } catch (JMSException e) {
                throw new IllegalArgumentException(e);
            }
        });
        scene.send("late");
        Scene.check(received.get(Scene.PATIENCE, TimeUnit.MILLISECONDS), "late");
    }

    /** The second of two pulls in a transaction that is rolled back finds the first one's message again. */
    static void pullInATransaction(Scene scene) throws Exception {
        scene.send("1", "2");
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=0"));
        Scene.check(Scene.next(consumer, 1), "1");
        session.rollback();
        Scene.check(Scene.next(consumer, 2), "1/2 2");
        session.commit();
        Scene.nothing(consumer);
    }

    /** Who holds one message and does nothing holds up no other. */
    static void prefetchOfOneIsShared(Scene scene) throws Exception {
        Session slow = scene.session(Session.AUTO_ACKNOWLEDGE);
        Session fast = scene.session(Session.AUTO_ACKNOWLEDGE);
        Queue queue = slow.createQueue(scene.name + "?consumer.prefetchSize=1");
        MessageConsumer one = slow.createConsumer(queue);
        MessageConsumer two = fast.createConsumer(queue);
        scene.send("1", "2", "3", "4");
        Scene.check(Scene.next(two, 3), "2 3 4");
        Scene.check(Scene.next(one, 1), "1");
    }

    static void consumersTakeTurns(Scene scene) throws Exception {
        MessageConsumer one = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        MessageConsumer two = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        scene.send("1", "2", "3", "4");
        Scene.check(Scene.next(one, 2) + ", " + Scene.next(two, 2), "1 3, 2 4");
    }

    static void listenerGetsMany(Scene scene) throws Exception {
        CompletableFuture<String> done = new CompletableFuture<>();
        StringBuilder wanted = new StringBuilder();
        StringBuilder got = new StringBuilder();
        String[] texts = new String[2500]; // more than two prefetches
        for (int i = 0; i < texts.length; i++) {
            texts[i] = "" + i;
            wanted.append(' ').append(i);
        }
        scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue).setMessageListener(message -> {
            got.append(' ').append(AcknowledgeChecks.told(message));
            if (got.length() >= wanted.length()) {
                done.complete(got.toString());
            }
        });
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
        session.commit();
        Scene.check(done.get(Scene.PATIENCE, TimeUnit.MILLISECONDS).equals(wanted.toString()), true);
    }

    static void selectors(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int i = 1; i <= 6; i++) {
            Message message = session.createTextMessage("" + i);
            message.setIntProperty("n", i);
            message.setStringProperty("colour", i % 2 == 0 ? "red" : "green");
            message.setBooleanProperty("big", i > 4);
            message.setJMSCorrelationID("id-" + i);
            producer.send(message, DeliveryMode.PERSISTENT, i, 0);
        }
        String[][] selected = {
            {"n BETWEEN 2 AND 3 AND colour = 'red'", "2"}, {"big AND colour NOT LIKE 'gr%'", "6"},
            {"JMSCorrelationID IN ('id-1', 'id-9')", "1"}, {"JMSPriority * 2 + n >= 15 AND JMSDeliveryMode = 'PERSISTENT'", "5"},
            {"absent IS NULL AND n <> 4", "3"}, {"", "4"},
        };
        for (String[] s : selected) {
            MessageConsumer consumer = session.createConsumer(scene.queue, s[0]);
            Message message = consumer.receive(Scene.PATIENCE);
            Scene.check(s[0] + ": " + (message == null ? "nothing" : Scene.tell(message)), s[0] + ": " + s[1]);
            Scene.nothing(consumer);
            consumer.close();
        }
    }

    /** Messages that a selector passes over keep their place among many. */
    static void selectorAmongMany(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int i = 0; i < 300; i++) {
            TextMessage message = session.createTextMessage("" + i);
            message.setIntProperty("n", i);
            producer.send(message);
        }
        session.commit();
        MessageConsumer some = session.createConsumer(scene.queue, "n >= 100 AND n < 110");
        for (int i = 100; i < 110; i++) {
            Scene.check(Scene.next(some, 1), i);
        }
        session.commit();
        some.close();
        MessageConsumer rest = session.createConsumer(scene.queue);
        for (int i = 0; i < 300; i++) {
            if (i < 100 || i >= 110) {
                Scene.check(Scene.next(rest, 1), i);
            }
        }
        session.commit();
    }

    static void expiredBeforeAConsumerCame(Scene scene) throws Exception {
        send(scene, 1);
        Scene.check(scene.left(), "");
        checkExpired(scene);
    }

    static void expiredAtItsConsumer(Scene scene) throws Exception {
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        send(scene, 300);
        Thread.sleep(400);
        Scene.nothing(consumer);
        checkExpired(scene);
    }

    private static void send(Scene scene, long timeToLive) throws JMSException {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setTimeToLive(timeToLive);
        producer.send(scene.text(session, "late"));
    }

    private static void checkExpired(Scene scene) throws JMSException {
        Message letter = Scene.next(scene.deadLetters());
        Scene.check(((TextMessage) letter).getText() + letter.getJMSExpiration(), "late0");
    }
}
