import org.apache.activemq.broker.BrokerFactory;

/** Starts a broker of ActiveMQ Classic for each configuration file, says so, and goes on until its input ends. */
class Classic {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            BrokerFactory.createBroker("xbean:file:" + file + "?validate=false", true).waitUntilStarted();
        }
        System.out.println("started");
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }
}
