///usr/bin/env jbang "$0" "$@" ; exit $?
// The tome program by JBang. The catalogue's aliases add the natives of a platform; without one, give them yourself:
// jbang --deps io.tome4j:tome4j-natives-linux-x86_64:0.1.0 jbang/tome.java generate "a red apple"
//JAVA 17+
//DEPS io.tome4j:tome4j-cli:0.1.0
//RUNTIME_OPTIONS -XX:+UseSerialGC -Djava.awt.headless=true -Dfile.encoding=UTF-8

/** Starts the program. */
public class tome {
    public static void main(String[] args) {
        io.tome4j.cli.Tome.main(args);
    }
}
