#pragma once

#include "text/marked_text.h"

// The rewriting steps of Spark NLP's pragmatic SentenceDetector, in the words of its
// PragmaticContentFormatter (evidence: JohnSnowLabs/spark-nlp 8b29b482, outputs of 5.5.3). Each rule is the
// hand-written equal of one or several regular expressions, named above it; the order of the rules is part of
// what they mean. Two steps are left out (questionInQuotation, exclamation): they replace "?" and "!", which
// no later step looks at.
namespace albert_fast::text {

/// "(a)", "a)" at the start, "1.", "-2." between blanks: a sentence starts at a list item.
void mark_lists(MarkedText& text);

/// Dots in and after numbers.
void claim_number_dots(MarkedText& text);

/// Dotted letters (U.S.A.), p.m., initials and, if wanted, the table of abbreviations.
void mark_abbreviations(MarkedText& text, bool use_table);

/// "!" and "?" before a blank end a sentence.
void mark_shouts(MarkedText& text);

/// Dots inside words, degrees ("N°.5"), and "..." before a capital.
void mark_inner_dots(MarkedText& text);

/// What stands in '…', "…", […] or (…) is not cut.
void protect_enclosed(MarkedText& text);

}  // namespace albert_fast::text
