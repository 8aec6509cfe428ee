import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;

/** Programs go on while their broker is killed and another one takes over; by a failover: URL, one check at a time. */
class FailoverChecks {
    private static final String ONE_TO_TEN = "1 2 3 4 5 6 7 8 9 10";

    static void transactionOfSends(Scene scene) throws Exception {
        Connection connection = scene.open();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int i = 1; i <= 10; i++) {
            producer.send(session.createTextMessage("" + i));
            if (i == 5) {
                killAndComeBack(connection);
            }
        }
        session.commit();
        Scene.check(scene.left(), ONE_TO_TEN);
    }

    /** What the program is told is that it was rolled back, since nobody knows; the broker had committed it. */
    static void commitWhoseAnswerIsLost(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        send(session, scene.queue, "1", "2", "3");
        session.createProducer(scene.queue); // which is answered, so that nothing else is on its way
        Fault.killAtTheNextAnswer();
        Scene.refused(TransactionRolledBackException.class, "in doubt", session::commit);
        send(session, scene.queue, "4");
        session.commit();
        Scene.check(scene.left(), "1 2 3 4");
    }

    static void commitThatIsLost(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        send(session, scene.queue, "1", "2", "3");
        session.createProducer(scene.queue); // which is answered, so that nothing else is on its way
        Fault.killAtTheNextRequest();
        Scene.refused(TransactionRolledBackException.class, "in doubt", session::commit);
        send(session, scene.queue, "4");
        session.commit();
        Scene.check(scene.left(), "4");
    }

    /** What the broker is to deliver again, after a delay, comes from the one that took over. */
    static void redeliveryByTheBroker(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.getRedeliveryPolicy().setMaximumRedeliveries(0);
        Connection connection = scene.open(factory);
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        scene.send("1", "2");
        Scene.check(Scene.next(consumer, 2), "1 2");
        session.rollback();
        session.createProducer(scene.queue); // which is answered, so that the refusal is durable
        killAndComeBack(connection);
        Scene.check(Scene.next(consumer, 2), "1/2 2/2");
        session.rollback();
        MessageConsumer letters = scene.deadLetters();
        Scene.check(Scene.next(letters, 2), "1 2");
        Scene.nothing(letters);
        Scene.check(scene.left(), "");
    }

    /** The client sends it again, and the broker that took over knows it. */
    static void sendWhoseAnswerIsLost(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.send(session.createTextMessage("1"));
        Fault.killAtTheNextAnswer();
        producer.send(session.createTextMessage("2"));
        producer.send(session.createTextMessage("3"));
        Scene.check(scene.left(), "1 2 3");
    }

    static void sendThatIsLost(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.send(session.createTextMessage("1"));
        Fault.killAtTheNextRequest();
        producer.send(session.createTextMessage("2"));
        producer.send(session.createTextMessage("3"));
        Scene.check(scene.left(), "1 2 3");
    }

    /**
     * Moves messages in transactions, one of which is cut in two, and tries again what was rolled back. The client may say a commit to
     * the second broker whose acknowledgement went to the first, so a message is moved twice, but then marked; and it may refuse as a
     * duplicate what it gets again, which becomes a dead letter. None is lost.
     */
    static void transactionsOfReceivesAndSends(Scene scene) throws Exception {
        Queue to = new ActiveMQQueue(scene.name + ".to");
        scene.send(ONE_TO_TEN.split(" "));
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        int received = 0;
        for (Message m; (m = consumer.receive(5 * Scene.SILENCE)) != null;) {
            try {
                send(session, to, Scene.tell(m));
                if (++received == 5) {
                    Fault.kill();
                }
                if (received % 2 == 0) {
                    session.commit();
                }
            } catch (JMSException e) { // of the commit, or of a send in a transaction that can only be rolled back
                session.rollback();
            }
        }
        session.commit();
        session.close();
        Set<String> different = new LinkedHashSet<>();
        String all = scene.left(to) + " " + scene.left() + " " + scene.dead();
        for (String told : all.trim().split(" ")) {
            if (!different.add(told.replaceAll("/.*", "")) && !told.contains("/")) {
                throw new AssertionError(told + " came twice and was not marked: " + all);
            }
        }
        Scene.check(different.containsAll(Set.of(ONE_TO_TEN.split(" "))) + " " + all, "true " + all);
    }

    static void clientAcknowledge(Scene scene) throws Exception {
        scene.send("1", "2", "3", "4");
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.next(consumer);
        Scene.next(consumer).acknowledge();
        ask(connection); // so that the acknowledgement counts
        Scene.check(Scene.next(consumer, 1), "3");
        killAndComeBack(connection);
        Scene.check(Scene.next(consumer, 1), "3/2");
        Message last = Scene.next(consumer);
        Scene.check(((TextMessage) last).getText(), "4");
        last.acknowledge();
        session.close();
        Scene.check(scene.left(), "");
    }

    static void listenerWithAutoAcknowledge(Scene scene) throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        scene.open(scene.candidFactory()).createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue)
            .setMessageListener(message -> got.add(AcknowledgeChecks.told(message)));
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        List<String> sent = new ArrayList<>();
        for (int i = 1; i <= 300; i++) {
            send(session, scene.queue, "" + i);
            sent.add("" + i);
            if (i == 150) {
                Fault.kill();
            }
        }
        Set<String> different = new LinkedHashSet<>();
        while (different.size() < sent.size()) {
            String told = got.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS);
            if (!different.add(told.replaceAll("/.*", "")) && !told.contains("/")) {
                throw new AssertionError(told + " came twice and was not marked");
            }
        }
        Scene.check(different, sent);
        Scene.check(got.poll(Scene.SILENCE, TimeUnit.MILLISECONDS), null);
    }

    /** A program that waits for a message goes on waiting. */
    static void receiveWithoutPrefetch(Scene scene) throws Exception {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=0"));
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        Thread receiver = new Thread(() -> {
            try {
                got.add(Scene.next(consumer, 1));
                got.add(Scene.next(consumer, 1));
            } catch (JMSException e) {
                got.add(e.toString());
            }
        });
        receiver.start();
        scene.send("1");
        Scene.check(got.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS), "1");
        ask(connection); // so that the acknowledgement counts
        Fault.kill();
        scene.send("2");
        Scene.check(got.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS), "2");
        receiver.join();
    }

    static void subscribersOfATopic(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer one = session.createConsumer(scene.topic);
        MessageConsumer two = session.createConsumer(scene.topic, null, true);
        send(session, scene.topic, "before");
        Scene.check(Scene.next(one, 1), "before");
        Fault.kill();
        send(session, scene.topic, "after");
        Scene.check(Scene.next(one, 1), "after");
        Scene.nothing(two);
    }

    /** One reply before, one to a request that the service had when its broker died, one after. */
    static void requestAndReply(Scene scene) throws Exception {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer answers = session.createConsumer(replies);
        Session service = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer requests = service.createConsumer(scene.queue);
        for (String question : new String[] {"before", "amid", "after"}) {
            Message request = session.createTextMessage(question);
            request.setJMSReplyTo(replies);
            session.createProducer(scene.queue).send(request);
            Message asked = Scene.next(requests);
            if (question.equals("amid")) {
                killAndComeBack(connection); // with its temporary queue
            }
            send(service, asked.getJMSReplyTo(), "answer to " + ((TextMessage) asked).getText());
            Scene.check(((TextMessage) Scene.next(answers)).getText(), "answer to " + question);
        }
    }

    /** Kills the broker, and returns when the connection has one again. */
    private static void killAndComeBack(Connection connection) throws Exception {
        Fault.kill();
        ask(connection);
    }

    /** Has something stored, whose answer comes after all that the connection said before is done. */
    private static void ask(Connection connection) throws JMSException {
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        send(session, new ActiveMQQueue("FailoverChecks.asked"), "is answered when it is stored");
        session.close();
    }

    private static void send(Session session, Destination to, String... texts) throws JMSException {
        MessageProducer producer = session.createProducer(to);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
        producer.close();
    }
}
