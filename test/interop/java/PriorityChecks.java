import javax.jms.*;

/** Queues whose policy is to keep to the priorities of messages. */
class PriorityChecks {
    private static void send(Scene scene, int mode, int... priorities) throws JMSException {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        for (int i = 0; i < priorities.length; i++) {
            producer.send(session.createTextMessage(priorities[i] + "-" + i), mode, priorities[i], 0);
        }
        connection.close();
    }

    static void highestFirst(Scene scene) throws Exception {
        for (int mode : new int[] {DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT}) {
            send(scene, mode, 4, 9, 0, 4, 9, 7);
            Connection connection = scene.open();
            MessageConsumer consumer = connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
            Scene.check(Scene.next(consumer, 6), "9-1 9-4 7-5 4-0 4-3 0-2");
            connection.close();
        }
    }

    static void pulled(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        send(scene, DeliveryMode.PERSISTENT, 1, 5);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=0"));
        Scene.check(Scene.next(consumer, 1), "5-1");
        send(scene, DeliveryMode.PERSISTENT, 9);
        Scene.check(Scene.next(consumer, 2), "9-0 1-0");
    }

    static void givenBack(Scene scene) throws Exception {
        send(scene, DeliveryMode.PERSISTENT, 4, 9, 4);
        Connection connection = scene.open();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(session.createQueue(scene.name + "?consumer.prefetchSize=10"));
        Scene.check(Scene.next(consumer, 2), "9-1 4-0");
        connection.close();
        Scene.check(scene.left(), "9-1/2 4-0/2 4-2");
    }
}
