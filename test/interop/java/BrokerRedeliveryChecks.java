import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;

/** What the broker delivers again: twice, after one second and then two. */
class BrokerRedeliveryChecks {
    static void untilItIsADeadLetter(Scene scene) throws Exception {
        refuseThrice(scene, scene.factory());
    }

    static void toAClientThatMindsDuplicates(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setCheckForDuplicates(true);
        refuseThrice(scene, factory);
    }

    static void untilItIsConsumed(Scene scene) throws Exception {
        scene.send("1");
        Session session = impatient(scene, scene.factory());
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(Scene.next(consumer, 1), "1");
        session.rollback();
        Message again = Scene.next(consumer);
        Scene.check(Scene.tell(again), "1/2");
        session.commit();
        // Sent on it is a message like any other.
        session.createProducer(scene.queue).send(again);
        session.commit();
        Scene.check(Scene.next(consumer, 1), "1");
        session.commit();
        Scene.check(scene.left(), "");
        Scene.nothing(scene.deadLetters());
    }

    private static void refuseThrice(Scene scene, ActiveMQConnectionFactory factory) throws Exception {
        scene.send("poison");
        Session session = impatient(scene, factory);
        MessageConsumer consumer = session.createConsumer(scene.queue);
        String[] told = {"poison", "poison/2", "poison/3"};
        Long[] waited = {null, 1000L, 2000L};
        for (int i = 0; i < told.length; i++) {
            Message message = Scene.next(consumer);
            Scene.check(Scene.tell(message), told[i]);
            Scene.check(message.getObjectProperty("redeliveryDelay"), waited[i]);
            session.rollback();
            Scene.nothing(consumer);
        }
        Scene.check(Scene.next(scene.deadLetters(), 1), "poison");
    }

    /** A session whose consumers leave all redelivery to the broker. */
    private static Session impatient(Scene scene, ActiveMQConnectionFactory factory) throws JMSException {
        factory.getRedeliveryPolicy().setMaximumRedeliveries(0);
        return scene.open(factory).createSession(true, Session.SESSION_TRANSACTED);
    }
}
