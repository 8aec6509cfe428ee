import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** Marks a check, or a class of checks, of what this broker does otherwise than ActiveMQ Classic on purpose: why. */
@Retention(RetentionPolicy.RUNTIME)
@interface Ours {
    String value();
}
