import java.util.BitSet;
import javax.jms.Message;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.jms.pool.PooledConnectionFactory;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.listener.DefaultMessageListenerContainer;
import org.springframework.jms.listener.SessionAwareMessageListener;

/** A program as Spring's users write it: URL COUNT. It sends numbers through a pool, and tells what its listener gets. */
class Spring {
    private static final String QUEUE = "spring";

    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[1]);
        PooledConnectionFactory pool = new PooledConnectionFactory();
        pool.setConnectionFactory(new ActiveMQConnectionFactory(args[0]));
        BitSet got = new BitSet();
        DefaultMessageListenerContainer container = new DefaultMessageListenerContainer();
        container.setConnectionFactory(pool);
        container.setDestinationName(QUEUE);
        container.setSessionTransacted(true);
        container.setMessageListener((SessionAwareMessageListener<Message>) (message, session) -> {
            int number = message.getIntProperty("number");
            System.out.println((message.getJMSRedelivered() ? "again 1 " : "received 1 ") + number);
            synchronized (got) {
                got.set(number);
                got.notifyAll();
            }
        });
        container.afterPropertiesSet();
        container.start();
        JmsTemplate template = new JmsTemplate(pool);
        for (int i = 1; i <= count; i++) {
            int number = i;
            template.send(QUEUE, session -> {
                Message message = session.createTextMessage("message " + number);
                message.setIntProperty("number", number);
                return message;
            });
        }
        synchronized (got) {
            while (got.cardinality() < count) {
                got.wait();
            }
        }
        container.shutdown();
        pool.stop();
    }
}
