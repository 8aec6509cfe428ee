import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQQueue;

/** What a connection is asked for by its URL, its ids, its limits and its end. */
class ConnectionChecks {
    /** The scene's URL with options of its transport. */
    private static String with(Scene scene, String options) {
        return scene.url + "?" + options;
    }

    private static ActiveMQConnectionFactory factory(Scene scene, String options) {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setBrokerURL(with(scene, options));
        return factory;
    }

    /** A message there and back. */
    private static void talk(Scene scene, Connection connection) throws JMSException {
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        producer.send(session.createTextMessage("hello"));
        MessageConsumer consumer = session.createConsumer(scene.queue);
        Scene.check(Scene.next(consumer, 1), "hello");
        session.close();
    }

    static void optionsOfTheWireFormat(Scene scene) throws Exception {
        for (String options : new String[] {
            "wireFormat.cacheEnabled=false", "wireFormat.tightEncodingEnabled=false", "wireFormat.stackTraceEnabled=false",
            "wireFormat.tcpNoDelayEnabled=false", "wireFormat.maxInactivityDuration=0", "wireFormat.maxInactivityDurationInitalDelay=1000",
            "wireFormat.maxFrameSize=100000", "wireFormat.maxFrameSizeEnabled=false", "useInactivityMonitor=false", "useKeepAlive=false",
            "keepAliveResponseRequired=true", "connectionTimeout=5000", "soTimeout=100", "soWriteTimeout=5000", "tcpNoDelay=false",
            "keepAlive=true", "socketBufferSize=4096", "ioBufferSize=4096", "closeAsync=false", "connectAttemptTimeout=3000", "soLinger=1"}) {
            Connection connection = scene.open(factory(scene, options));
            talk(scene, connection);
            connection.close();
        }
    }

    /** Silence is broken by each end in time, also if the broker has to answer. */
    static void silence(Scene scene) throws Exception {
        Connection plain = scene.open(factory(scene, "wireFormat.maxInactivityDuration=600&wireFormat.maxInactivityDurationInitalDelay=300"));
        Connection asking = scene.open(factory(scene,
            "wireFormat.maxInactivityDuration=600&wireFormat.maxInactivityDurationInitalDelay=300&keepAliveResponseRequired=true"));
        MessageConsumer consumer = plain.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(scene.queue);
        Scene.check(consumer.receive(2500), null);
        consumer.close();
        talk(scene, asking);
    }

    static void whoTheBrokerIs(Scene scene) throws Exception {
        ActiveMQConnection connection = (ActiveMQConnection) scene.open();
        Scene.check(connection.getBrokerName(), "pair");
        Scene.check(connection.getBrokerInfo().getBrokerName(), "pair");
        Scene.check(connection.getBrokerInfo().getBrokerURL().startsWith("tcp://"), true);
        Scene.check(connection.getBrokerInfo().isSlaveBroker(), false);
        Scene.check(connection.getMetaData().getJMSProviderName(), "ActiveMQ");
    }

    /** Each attempt fails by itself, and the id is free when its connection is closed. */
    static void aClientIdManyTimes(Scene scene) throws Exception {
        Connection first = scene.factory().createConnection();
        first.setClientID(scene.name);
        first.start();
        for (int i = 0; i < 10; i++) {
            Connection second = scene.factory().createConnection();
            Scene.refused(InvalidClientIDException.class, "Broker: pair - Client: " + scene.name + " already connected from tcp://127.0.0.1:", () -> {
                second.setClientID(scene.name); // which some clients pass on at once
                second.start();
            });
            second.close();
        }
        first.close();
        Connection again = scene.factory().createConnection();
        again.setClientID(scene.name);
        again.start();
        talk(scene, again);
        again.close();
    }

    /** The client looks at the size by itself: the connection goes on. */
    static void aMessageThatIsTooLarge(Scene scene) throws Exception {
        Connection connection = scene.open(factory(scene, "wireFormat.maxFrameSize=20000"));
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        Scene.refused(JMSException.class, "is larger than max allowed", () -> producer.send(session.createTextMessage("x".repeat(30000))));
        talk(scene, connection);
    }

    @Ours("Classic closes the connection")
    static void aMessageThatIsTooLargeForTheBrokerAlone(Scene scene) throws Exception {
        Connection connection = scene.open(factory(scene, "wireFormat.maxFrameSize=20000&wireFormat.maxFrameSizeEnabled=false"));
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(scene.queue);
        Scene.refused(JMSException.class, "is larger than max allowed", () -> producer.send(session.createTextMessage("x".repeat(30000))));
        talk(scene, connection);
    }

    static void compression(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setUseCompression(true);
        Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        session.createProducer(scene.queue).send(session.createTextMessage("x".repeat(100_000)));
        Scene.check(((TextMessage) Scene.next(session.createConsumer(scene.queue))).getText().length(), 100_000);
    }

    /** A sender that nobody answers is held by its window, and goes on as its messages arrive. */
    static void producerWindow(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setProducerWindowSize(5000);
        factory.setUseAsyncSend(true);
        Session session = scene.open(factory).createSession(false, Session.AUTO_ACKNOWLEDGE);
        for (int mode : new int[] {DeliveryMode.PERSISTENT, DeliveryMode.NON_PERSISTENT}) {
            MessageProducer producer = session.createProducer(scene.queue);
            producer.setDeliveryMode(mode);
            for (int i = 0; i < 100; i++) {
                producer.send(session.createTextMessage("x".repeat(1000)));
            }
        }
        MessageConsumer consumer = session.createConsumer(scene.queue);
        for (int i = 0; i < 200; i++) {
            Scene.next(consumer);
        }
    }

    /** What nobody waits for reaches the exception listener, and the connection goes on. */
    static void errorsOfWhatNobodyWaitsFor(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setUseAsyncSend(true);
        Connection connection = scene.open(factory);
        BlockingQueue<JMSException> heard = new LinkedBlockingQueue<>();
        connection.setExceptionListener(heard::add);
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryQueue gone = session.createTemporaryQueue();
        MessageProducer producer = session.createProducer(null);
        gone.delete();
        try {
            producer.send(gone, session.createTextMessage("to nowhere"));
        } catch (JMSException e) {
            heard.add(e); // the client may know by itself
        }
        if (heard.poll(Scene.PATIENCE, TimeUnit.MILLISECONDS) == null) {
            throw new AssertionError("nothing is heard");
        }
        talk(scene, connection);
    }

    /** A connection that is closed is; closing it again does nothing. */
    static void theEnd(Scene scene) throws Exception {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        connection.close();
        connection.close();
        Scene.refused(javax.jms.IllegalStateException.class, "", () -> session.createProducer(scene.queue));
    }

    static void aSelectorThatIsWrongAndTheRestGoesOn(Scene scene) throws Exception {
        Connection connection = scene.open();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Scene.refused(InvalidSelectorException.class, "", () -> session.createConsumer(scene.queue, "a = = b"));
        talk(scene, connection);
    }

    /** Many at once, each with its own. */
    static void manyConnections(Scene scene) throws Exception {
        Connection[] connections = new Connection[50];
        for (int i = 0; i < connections.length; i++) {
            connections[i] = scene.open();
            connections[i].createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(new ActiveMQQueue(scene.name + "." + i));
        }
        Session session = scene.session(Session.AUTO_ACKNOWLEDGE);
        for (int i = 0; i < connections.length; i++) {
            session.createProducer(new ActiveMQQueue(scene.name + "." + i)).send(session.createMessage());
            connections[i].close();
        }
    }
}
