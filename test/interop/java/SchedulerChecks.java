import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.command.ActiveMQTopic;

/** Messages that are delivered later, as AMQ_SCHEDULED_ properties ask, and the topic that tells of them and removes them. */
class SchedulerChecks {
    private static final Topic MANAGEMENT = new ActiveMQTopic("ActiveMQ.Scheduler.Management");

    /** A message with properties, given as names and values. */
    private static TextMessage text(Session session, String text, Object... properties) throws JMSException {
        TextMessage message = session.createTextMessage(text);
        for (int i = 0; i < properties.length; i += 2) {
            message.setObjectProperty((String) properties[i], properties[i + 1]);
        }
        return message;
    }

    static void comesAfterItsDelay(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int mode : new int[] {DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT}) {
            producer.setDeliveryMode(mode);
            long sent = System.currentTimeMillis();
            TextMessage message = text(session, "later", "AMQ_SCHEDULED_DELAY", 700L);
            producer.send(message);
            producer.send(text(session, "now"));
            Scene.check(((TextMessage) Scene.next(consumer)).getText(), "now");
            TextMessage got = (TextMessage) Scene.next(consumer);
            Scene.check(got.getText() + got.getJMSDeliveryMode(), "later" + mode);
            Scene.check(got.getJMSMessageID(), message.getJMSMessageID());
            Scene.check(System.currentTimeMillis() - sent >= 700, true);
            Scene.check(got.getStringProperty("scheduledJobId") != null && !got.propertyExists("AMQ_SCHEDULED_DELAY"), true);
        }
    }

    static void repeats(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(scene.topic);
        session.createProducer(scene.topic).send(text(session, "again", "AMQ_SCHEDULED_DELAY", 100L, "AMQ_SCHEDULED_PERIOD", 50L, "AMQ_SCHEDULED_REPEAT", 9));
        for (int i = 0; i < 10; i++) {
            Scene.check(((TextMessage) Scene.next(consumer)).getText(), "again");
        }
        Scene.check(consumer.receive(Scene.SILENCE), null);
    }

    static void isSentWithTheCommit(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.send(text(session, "gone", "AMQ_SCHEDULED_DELAY", 10L));
        session.rollback();
        producer.send(text(session, "kept", "AMQ_SCHEDULED_DELAY", 10L));
        MessageConsumer consumer = scene.session(Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        Scene.check(consumer.receive(Scene.SILENCE), null);
        session.commit();
        Scene.check(((TextMessage) Scene.next(consumer)).getText(), "kept");
        Scene.check(consumer.receive(Scene.SILENCE), null);
    }

    /** What is scheduled is listed by messages to the reply destination, and removed by its id. */
    static void isListedAndRemoved(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        session.createProducer(scene.queue).send(text(session, "tomorrow", "AMQ_SCHEDULED_DELAY", 86_400_000L, "mine", scene.name));
        MessageProducer manager = session.createProducer(MANAGEMENT);
        Message listed = list(session, scene);
        Scene.check(((TextMessage) listed).getText() + listed.getLongProperty("AMQ_SCHEDULED_DELAY"), "tomorrow86400000");
        manager.send(text(session, "", "AMQ_SCHEDULER_ACTION", "REMOVE", "scheduledJobId", listed.getStringProperty("scheduledJobId")));
        Scene.check(list(session, scene), null);
    }

    /** The scene's own message among those that are scheduled, null if there is none. */
    private static Message list(Session session, Scene scene) throws JMSException {
        TemporaryQueue answers = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(answers);
        TextMessage question = text(session, "", "AMQ_SCHEDULER_ACTION", "BROWSE");
        question.setJMSReplyTo(answers);
        session.createProducer(MANAGEMENT).send(question);
        session.createProducer(answers).send(session.createMessage());
        Message mine = null;
        for (Message m = Scene.next(consumer); m.getStringProperty("scheduledJobId") != null; m = Scene.next(consumer)) {
            mine = scene.name.equals(m.getStringProperty("mine")) ? m : mine;
        }
        consumer.close();
        answers.delete();
        return mine;
    }

    @Ours("Classic takes what is never due and drops it with a line in its log, and repeats without bound")
    static void refusesWhatCannotBe(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        Scene.refused(JMSException.class, "never due", () -> producer.send(text(session, "", "AMQ_SCHEDULED_CRON", "0 0 30 2 *")));
        Scene.refused(JMSException.class, "at most 1000",
            () -> producer.send(text(session, "", "AMQ_SCHEDULED_PERIOD", 1L, "AMQ_SCHEDULED_REPEAT", 1001)));
        Scene.check(scene.left(), "");
    }

    /** A program does not wait for the answer to what is not persistent: its exception listener hears of it. */
    @Ours("Classic takes what is never due")
    static void refusesWhatIsNotPersistent(Scene scene) throws Exception {
        CompletableFuture<String> heard = new CompletableFuture<>();
        Connection connection = scene.open();
        connection.setExceptionListener(e -> heard.complete(e.getMessage()));
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(text(session, "", "AMQ_SCHEDULED_CRON", "0 0 30 2 *"));
        Scene.check(heard.get(Scene.PATIENCE, TimeUnit.MILLISECONDS).contains("never due"), true);
        producer.send(scene.text(session, "goes on"));
        Scene.check(scene.left(), "goes on");
    }

    /** In a transaction it is the commit that tells, and nothing of the transaction happens. */
    @Ours("Classic takes what is never due")
    static void refusesATransaction(Scene scene) throws Exception {
        Session session = scene.session(Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.send(session.createTextMessage("gone"));
        producer.send(text(session, "", "AMQ_SCHEDULED_CRON", "0 0 30 2 *"));
        Scene.refused(TransactionRolledBackException.class, "never due", session::commit);
        Scene.check(scene.left(), "");
        producer.send(session.createTextMessage("goes on"));
        session.commit();
        Scene.check(scene.left(), "goes on");
    }
}
