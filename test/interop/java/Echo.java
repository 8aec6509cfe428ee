import java.util.Collections;
import java.util.List;
import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * Answers COUNT messages of the queue Echo as a program that reads all of them: URL COUNT. Each answer is a message of the same
 * kind, with what the program sees of the body, the properties and the headers.
 */
public class Echo {
    private static final long PATIENCE = 30_000;

    public static void main(String[] args) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(args[0]).createConnection();
        connection.start();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(session.createQueue("Echo"));
        MessageProducer producer = session.createProducer(null);
        for (int i = 0; i < Integer.parseInt(args[1]); i++) {
            Message question = consumer.receive(PATIENCE);
            Message answer = copy(session, question);
            for (String name : (List<String>) Collections.list(question.getPropertyNames())) {
                answer.setObjectProperty(name, question.getObjectProperty(name));
            }
            answer.setJMSType(question.getJMSType());
            answer.setJMSCorrelationID(question.getJMSMessageID());
            long left = question.getJMSExpiration() == 0 ? 0 : question.getJMSExpiration() - System.currentTimeMillis();
            producer.send(question.getJMSReplyTo(), answer, question.getJMSDeliveryMode(), question.getJMSPriority(), left);
            session.commit();
        }
        connection.close();
    }

    private static Message copy(Session session, Message m) throws Exception {
        if (m instanceof TextMessage) {
            return session.createTextMessage(((TextMessage) m).getText());
        }
        BytesMessage bytes = (BytesMessage) m;
        byte[] body = new byte[(int) bytes.getBodyLength()];
        bytes.readBytes(body);
        BytesMessage answer = session.createBytesMessage();
        answer.writeBytes(body);
        return answer;
    }
}
