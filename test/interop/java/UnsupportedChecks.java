import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.command.ActiveMQQueue;

/** What ActiveMQ does and this broker does not yet: it says so, and the session that asked goes on. */
@Ours("not built yet")
class UnsupportedChecks {
    private static final String NOT_YET = "this broker does not support ";

    static void browser(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        refused(session, scene, "queue browsers yet", () -> session.createBrowser(scene.queue).getEnumeration().hasMoreElements());
    }

    static void wildcards(Scene scene) throws Exception {
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        Scene.refused(InvalidDestinationException.class, "a wildcard is for consumers",
            () -> session.createProducer(session.createQueue("a.>")).send(session.createMessage()));
    }

    private static void refused(Session session, Scene scene, String what, Scene.Action action) throws Exception {
        Scene.refused(JMSException.class, NOT_YET + what, action);
        goesOn(session, scene);
    }

    private static void goesOn(Session session, Scene scene) throws Exception {
        Queue queue = new ActiveMQQueue(scene.name + ".after");
        session.createProducer(queue).send(session.createTextMessage("goes on"));
        MessageConsumer consumer = session.createConsumer(queue);
        Scene.check(Scene.next(consumer, 1), "goes on");
        consumer.close();
    }
}
