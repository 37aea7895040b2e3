import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What java.util.regex makes of patterns and texts. Each line of the input is a pattern and texts, all in hexadecimal
 * UTF-16 with a tab between. Each line of the output answers one: "!" and the message for a pattern that does not
 * compile, else per text (with a tab between) the matches, "/", and the parts of String.split. A match is begin,end of
 * each group, a part begin,end; all in UTF-16 units. "?" stands for a text on which Java itself failed.
 */
public final class RegexOracle {
    private static String decode(String hex) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < hex.length(); i += 4) out.append((char) Integer.parseInt(hex.substring(i, i + 4), 16));
        return out.toString();
    }

    private static void find(Pattern pattern, String text, StringBuilder out) {
        Matcher matcher = pattern.matcher(text);
        String separator = "";
        while (matcher.find()) {
            out.append(separator);
            separator = ";";
            for (int group = 0; group <= matcher.groupCount(); group++) {
                if (group > 0) out.append(',');
                out.append(matcher.start(group)).append(',').append(matcher.end(group));
            }
        }
    }

    /** String.split gives strings; their places follow from the matches between them. */
    private static void split(String regex, Pattern pattern, String text, StringBuilder out) {
        String[] parts = text.split(regex);
        Matcher matcher = pattern.matcher(text);
        int at = 0;
        for (int i = 0; i < parts.length; i++) {
            out.append(i > 0 ? ";" : "").append(at).append(',').append(at + parts[i].length());
            if (!text.startsWith(parts[i], at)) throw new AssertionError("split and find disagree");
            int end = at + parts[i].length();
            while (i + 1 < parts.length) {
                if (!matcher.find()) throw new AssertionError("split without a match");
                if (at == 0 && matcher.end() == 0) continue;
                if (matcher.start() != end) throw new AssertionError("split and find disagree");
                at = matcher.end();
                break;
            }
        }
    }

    private static String answer(String line) {
        String[] fields = line.split("\t", -1);
        String regex = decode(fields[0]);
        Pattern pattern;
        try {
            pattern = Pattern.compile(regex);
        } catch (PatternSyntaxException error) {
            return "!" + error.getDescription().replace('\n', ' ') + " at " + error.getIndex();
        } catch (RuntimeException | StackOverflowError error) {
            return "!" + error.getClass().getSimpleName();
        }
        StringBuilder out = new StringBuilder();
        for (int i = 1; i < fields.length; i++) {
            if (i > 1) out.append('\t');
            int start = out.length();
            String text = decode(fields[i]);
            try {
                find(pattern, text, out);
                out.append('/');
                split(regex, pattern, text, out);
            } catch (StackOverflowError | RuntimeException error) {
                out.setLength(start);
                out.append('?');
            }
        }
        return out.toString();
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.US_ASCII);
        for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(line));
        out.flush();
    }
}
