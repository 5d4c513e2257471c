/** What a counterexample looks like: a picture of its trace, and the same as sentences. */
import { parseTrace, type Trace } from '@quorumlab/sim';
import {
  type EventView,
  type Layout,
  layoutOf,
  modelOf,
  Picture,
  sentenceOf,
  type TraceModel,
  timeText,
  voteSentence,
} from '@quorumlab/trace-view';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { type Html, html, raw } from './markup.ts';

/** A trace as far as it can be shown. */
export interface Evidence {
  readonly trace: Trace;
  /** The trace as it stands in its file. */
  readonly text: string;
  /** As HTML, or why there is none. */
  readonly picture: Html | string;
  readonly sentences: Html;
  readonly digest: string;
  /** Events in the picture, which ends where the violation is, and in the whole trace. */
  readonly shown: number;
  readonly events: number;
}

/** More than this in one picture is read by nobody. */
const mostShown = 400;

/** The evidence in the text of a trace, or the sentence why there is none. */
export function evidenceOf(text: string): Evidence | string {
  try {
    const trace = parseTrace(text);
    if (trace.footer === undefined) return 'its trace was cut off before its end';
    const model = modelOf(untilViolation(trace));
    const layout = layoutOf(model);
    const shown = layout.shown.length;
    return {
      ...{ trace, text },
      picture:
        shown > mostShown
          ? `its picture would have ${shown} events; quorumlab shrink makes it smaller`
          : raw(render(h(Picture, { model, layout }))),
      sentences: sentencesOf(model, layout),
      digest: trace.footer.digest,
      shown,
      events: trace.events.length,
    };
  } catch (error) {
    // The file may be of anybody: what is wrong in it is no bug of ours.
    return `its trace cannot be drawn: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What came after the violation explains nothing of it. */
function untilViolation(trace: Trace): Trace {
  const end = trace.events.findIndex(({ k }) => k === 'violation');
  return end < 0 ? trace : { ...trace, events: trace.events.slice(0, end + 1) };
}

/** What the picture shows, as an ordered list. */
function sentencesOf(model: TraceModel, { shown, marks }: Layout): Html {
  const votes = new Map(marks.map((mark) => [mark.event, mark.votes]));
  const items = shown.slice(0, mostShown).map((i) => {
    const event = model.events[i] as EventView;
    const group = event.k === 'deliver' ? votes.get(i) : undefined;
    const sentence = group === undefined ? sentenceOf(model, event) : voteSentence(model, group);
    const isWrong = event.conflicts || event.k === 'violation';
    return html`<li${isWrong && raw(' class="bad"')}>${timeText(event.t)}: ${
      isWrong && '✗ '
    }${sentence}.</li>`;
  });
  const rest = shown.length - items.length;
  return html`<ol class="sentences">${items}</ol>${
    rest > 0 && html`<p class="quiet">and ${rest} more, which the trace has</p>`
  }`;
}
