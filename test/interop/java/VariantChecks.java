import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;

/** URLs of failover: and its relatives in all their variants, with a broker that is there and one that is not. */
class VariantChecks {
    /** Nobody listens here. */
    private static final String NOWHERE = "tcp://127.0.0.1:1";

    /** The broker's own address. */
    private static String broker(Scene scene) {
        Matcher address = Pattern.compile("tcp://[^?,)]+").matcher(scene.url);
        address.find();
        return address.group();
    }

    private static ActiveMQConnectionFactory factory(Scene scene, String url) {
        ActiveMQConnectionFactory factory = scene.factory();
        factory.setBrokerURL(url.replace("BROKER", broker(scene)).replace("NOWHERE", NOWHERE));
        return factory;
    }

    static void theBrokerIsFound(Scene scene) throws Exception {
        for (String url : new String[] {
            "failover:BROKER", "failover:(BROKER)", "failover://(BROKER)", "failover:(NOWHERE,BROKER)?randomize=false", "failover:(NOWHERE,BROKER)",
            "failover:(BROKER,BROKER)?backup=true", "failover:(BROKER,BROKER)?backup=true&backupPoolSize=2", "failover:(NOWHERE,BROKER)?priorityBackup=true",
            "failover:(NOWHERE,BROKER)?priorityBackup=true&priorityURIs=BROKER&randomize=false", "failover:(BROKER)?trackMessages=true&maxCacheSize=100000",
            "failover:(BROKER)?trackTransactionProducers=false", "failover:(BROKER)?updateURIsSupported=false", "failover:(BROKER)?timeout=3000",
            "failover:(BROKER)?maxReconnectAttempts=3&startupMaxReconnectAttempts=3", "failover:(BROKER)?initialReconnectDelay=1&maxReconnectDelay=10",
            "failover:(BROKER)?useExponentialBackOff=false&reconnectDelayExponent=1.5", "failover:(BROKER)?warnAfterReconnectAttempts=2",
            "failover:(BROKER)?nested.wireFormat.maxInactivityDuration=5000&nested.soTimeout=0", "failover:(BROKER?wireFormat.maxInactivityDuration=5000)",
            "failover:(BROKER)?jms.useAsyncSend=true&jms.prefetchPolicy.queuePrefetch=1", "failover:(BROKER)?rebalanceUpdateURIs=false&reconnectSupported=false",
            "failover:(failover:(BROKER))", "fanout:(static:(BROKER))?minAckCount=1", "BROKER?jms.alwaysSyncSend=true"}) {
            Connection connection = scene.open(factory(scene, url));
            Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
            session.createProducer(scene.queue).send(session.createTextMessage(url));
            session.commit();
            MessageConsumer consumer = session.createConsumer(scene.queue);
            Scene.check(Scene.next(consumer, 1), url);
            session.commit();
            connection.close();
        }
    }

    /** Nobody is found, and the program is told as it asked. */
    static void nobodyIsFound(Scene scene) throws Exception {
        for (String url : new String[] {
            "failover:(NOWHERE)?startupMaxReconnectAttempts=1&initialReconnectDelay=1", "failover:(NOWHERE)?maxReconnectAttempts=0&timeout=100",
            "failover:(NOWHERE)?maxReconnectAttempts=1&initialReconnectDelay=1", "NOWHERE"}) {
            Scene.refused(JMSException.class, "", () -> {
                Connection connection = factory(scene, url).createConnection();
                try {
                    connection.start();
                } finally {
                    connection.close();
                }
            });
        }
    }

    /** Wrong credentials are no reason to try again for ever. */
    static void wrongCredentials(Scene scene) throws Exception {
        ActiveMQConnectionFactory factory = factory(scene, "failover:(BROKER)");
        factory.setPassword("wrong");
        Connection connection = factory.createConnection();
        try {
            Scene.refused(JMSSecurityException.class, "is invalid", connection::start);
        } finally {
            connection.close();
        }
    }
}
