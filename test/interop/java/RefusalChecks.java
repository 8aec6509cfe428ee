import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;

/** What a broker refuses: with which class, and that the program can go on. */
class RefusalChecks {
    static void wrongPassword(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setPassword("wrong");
        Connection connection = factory.createConnection();
        try {
            Scene.refused(JMSSecurityException.class, "password", connection::start);
        } finally {
            connection.close();
        }
    }

    /** The name is free again once its connection is closed, for the connection that was refused too. */
    static void clientIdThatIsTaken(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setClientID(scene.name);
        Connection first = scene.open(factory);
        Connection second = factory.createConnection();
        try {
            Scene.refused(InvalidClientIDException.class, scene.name, second::start);
            first.close();
            second.start();
        } finally {
            second.close();
        }
        scene.open(factory);
    }

    static void selectorThatIsWrong(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        for (String selector : new String[] {"n =", "= 1", "n LIKE 1", "n BETWEEN 1", "'open"}) {
            Scene.refused(InvalidSelectorException.class, "", () -> session.createConsumer(scene.queue, selector));
        }
        session.createProducer(scene.queue).send(session.createTextMessage("goes on"));
        Scene.check(Scene.next(session.createConsumer(scene.queue), 1), "goes on");
    }

    @Ours("Classic makes a queue of that name, which nobody can consume from alone")
    static void sendToAWildcard(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Scene.refused(InvalidDestinationException.class, "a wildcard is for consumers",
            () -> session.createProducer(session.createQueue("a.>")).send(session.createMessage()));
    }
}
