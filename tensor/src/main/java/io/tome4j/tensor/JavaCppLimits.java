package io.tome4j.tensor;

import java.lang.reflect.Field;
import org.bytedeco.javacpp.Pointer;

/** JavaCPP's own limits on native memory: their default, four times the Java heap, knows nothing of models. */
final class JavaCppLimits {
    private JavaCppLimits() {}

    /** Lifts what no property of the application has set. */
    static void lift() {
        for (String limit : new String[] {"maxBytes", "maxPhysicalBytes"}) {
            String key = "org.bytedeco.javacpp." + limit;
            if (System.getProperty(key) == null) {
                System.setProperty(key, "0");
                liftWhereItWasRead(limit);
            }
        }
    }

    /** An application that used JavaCPP before us has made it read the property already, and it will not look again. */
    private static void liftWhereItWasRead(String limit) {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe"); // by its name: a compiler warns of it
            Field instance = type.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            Object unsafe = instance.get(null);
            Field field = Pointer.class.getDeclaredField(limit);
            Object base = type.getMethod("staticFieldBase", Field.class).invoke(unsafe, field);
            Object offset = type.getMethod("staticFieldOffset", Field.class).invoke(unsafe, field);
            type.getMethod("putLongVolatile", Object.class, long.class, long.class)
                    .invoke(unsafe, base, offset, 0L);
        } catch (ReflectiveOperationException | RuntimeException e) {
            // the limit stays, and describe() says so
        }
    }
}
