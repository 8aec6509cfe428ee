import javax.jms.*;
import org.apache.activemq.ActiveMQConnectionFactory;

/** Goes once through what a JMS program expects of a broker: URL. Ends with OK, or with the first thing that is wrong. */
public class Tour {
    private final Connection connection;
    private final Session session;

    Tour(String url) throws JMSException {
        connection = new ActiveMQConnectionFactory(url).createConnection();
        connection.start();
        session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
    }

    public static void main(String[] args) throws Exception {
        Tour tour = new Tour(args[0]);
        tour.selectorsAndOrder();
        tour.requestAndReply(args[0]);
        tour.topic();
        tour.rollback();
        tour.pull();
        tour.poison();
        tour.refusals();
        tour.connection.close();
        System.out.println("OK");
    }

    private static void check(Object got, Object wanted) {
        if (!String.valueOf(got).equals(String.valueOf(wanted))) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    private static String text(MessageConsumer consumer) throws JMSException {
        TextMessage message = (TextMessage) consumer.receive(5000);
        return message == null ? null : message.getText();
    }

    private void send(Destination to, String text) throws JMSException {
        session.createProducer(to).send(session.createTextMessage(text));
    }

    private void selectorsAndOrder() throws JMSException {
        Queue queue = session.createQueue("Tour.Selectors");
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 300; i++) {
            TextMessage message = session.createTextMessage("m" + i);
            message.setIntProperty("n", i);
            producer.send(message);
        }
        MessageConsumer some = session.createConsumer(queue, "n BETWEEN 100 AND 109 AND JMSPriority = 4");
        for (int i = 100; i < 110; i++) {
            check(text(some), "m" + i);
        }
        check(some.receive(100), null);
        session.recover();
        for (int i = 100; i < 110; i++) {
            TextMessage message = (TextMessage) some.receive(5000);
            check(message.getText() + message.getJMSRedelivered(), "m" + i + true);
            message.acknowledge();
        }
        some.close();
        MessageConsumer rest = session.createConsumer(queue);
        for (int i = 0; i < 300; i++) {
            if (i < 100 || i >= 110) {
                TextMessage message = (TextMessage) rest.receive(5000);
                check(message.getText() + message.getJMSRedelivered(), "m" + i + false);
                message.acknowledge();
            }
        }
        rest.close();
    }

    private void requestAndReply(String url) throws JMSException {
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer answers = session.createConsumer(replies);
        Connection other = new ActiveMQConnectionFactory(url).createConnection();
        other.start();
        Session service = other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer requests = service.createConsumer(service.createQueue("Tour.Service"));
        Message request = session.createTextMessage("question");
        request.setJMSReplyTo(replies);
        session.createProducer(session.createQueue("Tour.Service")).send(request);
        Destination replyTo = requests.receive(5000).getJMSReplyTo();
        service.createProducer(replyTo).send(service.createTextMessage("answer"));
        check(text(answers), "answer");
        try {
            service.createConsumer(replyTo);
            check("a consumer on another connection's temporary queue", "an exception");
        } catch (InvalidDestinationException expected) {
            // as it should be
        }
        other.close();
        answers.close();
        replies.delete();
    }

    private void topic() throws JMSException {
        Topic topic = session.createTopic("Tour.Topic");
        MessageConsumer one = session.createConsumer(topic);
        MessageConsumer two = session.createConsumer(topic, "JMSType IS NULL");
        send(topic, "news");
        check(text(one) + text(two), "newsnews");
        one.close();
        two.close();
    }

    private void rollback() throws JMSException {
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = transacted.createQueue("Tour.Rollback");
        MessageProducer producer = transacted.createProducer(queue);
        producer.send(transacted.createTextMessage("gone"));
        transacted.rollback();
        producer.send(transacted.createTextMessage("kept"));
        transacted.commit();
        MessageConsumer consumer = transacted.createConsumer(queue);
        check(text(consumer), "kept");
        transacted.rollback();
        Message again = consumer.receive(5000);
        check(again.getIntProperty("JMSXDeliveryCount"), 2);
        transacted.commit();
        check(consumer.receive(100), null);
        transacted.close();
    }

    private void pull() throws JMSException {
        MessageConsumer consumer = session.createConsumer(session.createQueue("Tour.Pull?consumer.prefetchSize=0"));
        check(consumer.receiveNoWait(), null);
        check(consumer.receive(100), null);
        send(session.createQueue("Tour.Pull"), "pulled");
        Message pulled = consumer.receive(5000);
        check(((TextMessage) pulled).getText(), "pulled");
        pulled.acknowledge();
        consumer.close();
    }

    private void poison() throws JMSException {
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = transacted.createQueue("Tour.Poison");
        MessageConsumer consumer = transacted.createConsumer(queue);
        send(queue, "poison");
        for (int i = 0; i < 3; i++) {
            check(text(consumer), "poison");
            transacted.rollback();
        }
        check(consumer.receive(300), null);
        MessageConsumer letters = session.createConsumer(session.createQueue("ActiveMQ.DLQ"));
        Message letter = letters.receive(5000);
        check(letter.getStringProperty("dlqDeliveryFailureCause") != null, true);
        letter.acknowledge();
        letters.close();
        transacted.close();
    }

    private void refusals() throws JMSException {
        try {
            session.createBrowser(session.createQueue("Tour.Pull")).getEnumeration().hasMoreElements();
            check("a browser", "an exception");
        } catch (JMSException refused) {
            check(refused.getMessage(), "this broker does not support queue browsers yet");
        }
        try {
            session.createConsumer(session.createQueue("Tour.>"));
            check("a wildcard", "an exception");
        } catch (JMSException refused) {
            check(refused.getMessage(), "this broker does not support consumers with wildcards yet");
        }
    }
}
