/** Everything about one event: what it is, why it happened, what came of it, and the evidence. */
import type { ProofRow } from '@quorumlab/harness';
import { type ComponentChildren, h, type JSX } from 'preact';
import { type Carried, differences, type MessageView, partText } from './message.ts';
import { type EventView, nameOf, sendOf, type TraceModel, twinsOf } from './model.ts';
import type { ViewProps } from './views.ts';
import { messageText, sentenceOf, timeText } from './words.ts';

/** What is known besides the trace. */
export interface InspectorProps extends Omit<ViewProps, 'at'> {
  /** Proofs that somebody lied, which the run has found. */
  readonly proofs?: readonly ProofRow[];
  /** What the run is called, where a page has several. */
  readonly of?: string | undefined;
}

/** The event that is looked at, with links to its cause and to its effects. */
export function Inspector(props: InspectorProps): JSX.Element {
  const { model, selected, onSelect, proofs = [], of } = props;
  const name = of ? `What is looked at: ${of}` : 'What is looked at';
  const event = selected === undefined ? undefined : model.events[selected];
  if (event === undefined)
    return h('section', { class: 'inspector' }, 'Choose an arrow, a mark or a sentence.');
  const { i, t, cause, effects } = event;
  const message = event.message;
  const link = (at: number): JSX.Element => h(EventLink, { model, at, onSelect });
  return h(
    'section',
    { class: 'inspector', 'aria-label': name },
    h('p', { class: 'what' }, `${sentenceOf(model, event)}.`),
    h('p', { class: 'when' }, `event ${i} at ${timeText(t)}`),
    h(Part, { title: 'Because' }, cause === undefined ? 'of nothing before it' : link(cause)),
    h(
      Part,
      { title: 'So that' },
      effects.length === 0
        ? 'nothing followed'
        : h(
            'ul',
            null,
            effects.map((at) => h('li', null, link(at))),
          ),
    ),
    message !== undefined && h(MessageParts, { model, event, message }),
    ...proofs
      .filter(({ signer }) => signer === message?.from || event.k === 'violation')
      .slice(0, 1)
      .map((proof) => h(ProofPart, { model, proof })),
  );
}

const Part = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element => h('div', { class: 'part' }, h('h4', null, title), children);

/** A sentence that leads to its event. */
function EventLink({
  model,
  at,
  onSelect,
}: Pick<ViewProps, 'model' | 'onSelect'> & { readonly at: number }): JSX.Element {
  const event = model.events[at] as EventView;
  return h('button', { type: 'button', onClick: () => onSelect(at) }, sentenceOf(model, event));
}

function MessageParts({
  model,
  event,
  message,
}: {
  readonly model: TraceModel;
  readonly event: EventView;
  readonly message: MessageView;
}): JSX.Element {
  const to = event.to ?? event.n;
  const from = nameOf(model, sendOf(model, event)?.n ?? message.from);
  return h(
    'div',
    null,
    h(
      Part,
      { title: `Message: ${message.kind}, ${from} → ${nameOf(model, to)}` },
      h(
        'table',
        null,
        Object.entries(message.body).map(([name, value]) =>
          h('tr', null, h('th', { scope: 'row' }, name), h('td', null, partText(value))),
        ),
      ),
    ),
    message.carried.map((each) => h(CertificatePart, { model, carried: each })),
    twinsOf(model, message)
      .slice(0, 3)
      .map((twin) => h(TwinPart, { model, message, twin })),
  );
}

/** Who signed what a message carries, and who did not. */
function CertificatePart({
  model,
  carried: { kind, signers },
}: {
  readonly model: TraceModel;
  readonly carried: Carried;
}): JSX.Element {
  const replicas = model.seats.filter((seat) => seat.kind === 'replica');
  const signs = replicas.map(({ index, name }) => `${name} ${signers.includes(index) ? '✓' : '–'}`);
  return h(
    Part,
    { title: `Carries ${signers.length} signed of ${replicas.length}: ${kind}` },
    h('p', null, signs.join('  ')),
  );
}

/** Part by part, what a liar said to others about the same numbers. */
function TwinPart({
  model,
  message,
  twin,
}: {
  readonly model: TraceModel;
  readonly message: MessageView;
  readonly twin: MessageView;
}): JSX.Element {
  const others = model.events.filter(({ k, message: sent }) => k === 'send' && sent === twin);
  const whom = [...new Set(others.map(({ to }) => nameOf(model, to ?? -1)))].join(', ');
  return h(
    Part,
    { title: `⚠ Twin: ${nameOf(model, message.from)} told ${whom} ${messageText(twin)}` },
    h(
      'table',
      null,
      h('tr', null, ...['', 'here', 'there'].map((head) => h('th', { scope: 'col' }, head))),
      differences(message, twin).map(({ part, first, second }) =>
        h('tr', null, h('th', { scope: 'row' }, part), h('td', null, first), h('td', null, second)),
      ),
    ),
  );
}

/** Two signatures of one node of which only one may be. */
function ProofPart({
  model,
  proof: { signer, about, first, second },
}: {
  readonly model: TraceModel;
  readonly proof: ProofRow;
}): JSX.Element {
  return h(
    Part,
    { title: `Proof that ${nameOf(model, signer)} lied` },
    h('p', null, `It signed two statements about ${about}, of which only one may be signed:`),
    h(
      'ul',
      null,
      [first, second].map(({ kind, what, signature }) =>
        h('li', null, `${kind} ${what}: signature `, h('code', null, signature)),
      ),
    ),
  );
}
