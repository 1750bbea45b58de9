package io.tome4j.release;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/** A POM as others read it: what it says itself, with nothing inherited. */
final class Pom {
    private final Element project;

    private Pom(Element project) {
        this.project = project;
    }

    /** @throws IOException if it is no XML */
    static Pom parse(byte[] file) throws IOException {
        try {
            return new Pom(DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new ByteArrayInputStream(file))
                    .getDocumentElement());
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException("It is no XML: " + e.getMessage(), e);
        }
    }

    String artifact() {
        return text("artifactId");
    }

    /** What it is packed as: {@code jar} unless it says otherwise. */
    String packaging() {
        String said = text("packaging");
        return said.isEmpty() ? "jar" : said;
    }

    /** The text of the first element at a path below the project; empty if there is none. */
    String text(String... path) {
        return text(project, path);
    }

    boolean has(String element) {
        return !children(project, element).isEmpty();
    }

    /** Its dependencies; of a BOM, those that it manages. */
    List<Dependency> dependencies() {
        List<Element> parents = new ArrayList<>(children(project, "dependencies"));
        for (Element management : children(project, "dependencyManagement")) {
            parents.addAll(children(management, "dependencies"));
        }
        return parents.stream()
                .flatMap(parent -> children(parent, "dependency").stream())
                .map(each -> new Dependency(
                        text(each, "groupId"),
                        text(each, "artifactId"),
                        text(each, "version"),
                        text(each, "classifier"),
                        text(each, "scope")))
                .toList();
    }

    private static String text(Element from, String... path) {
        Element at = from;
        for (String name : path) {
            List<Element> next = children(at, name);
            if (next.isEmpty()) {
                return "";
            }
            at = next.get(0);
        }
        return at.getTextContent().strip();
    }

    private static List<Element> children(Element parent, String name) {
        List<Element> found = new ArrayList<>();
        for (Node child = parent.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element element && element.getTagName().equals(name)) {
                found.add(element);
            }
        }
        return found;
    }

    /** One of its dependencies; what it does not say is empty. */
    record Dependency(String group, String artifact, String version, String classifier, String scope) {}
}
