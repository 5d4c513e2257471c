/**
 * Views of one run: pure functions of its trace, without the rules of any protocol.
 *
 * @packageDocumentation
 */
export { type ClockMoment, Clocks, type ClocksProps } from './clocks.ts';
export { type Folded, folded, unfolded, type VoteGroup } from './fold.ts';
export { Inspector, type InspectorProps } from './inspector.ts';
export type { Box, Label } from './labels.ts';
export { Lanes, type LanesProps } from './lanes.ts';
export {
  type Arrow,
  type ArrowRole,
  heightOf,
  type Layout,
  layoutOf,
  type Mark,
  type Row,
} from './layout.ts';
export { Log, type LogProps } from './log.ts';
export type { Carried, DescribeOperation, MessageView } from './message.ts';
export {
  type CommitView,
  type EventView,
  modelOf,
  nameOf,
  sendOf,
  type TraceModel,
} from './model.ts';
export { Picture, PictureDefinitions, type PictureProps } from './picture.ts';
export { Ring } from './ring.ts';
export type { SceneView, SeatView } from './seats.ts';
export { mermaidOf, plantUmlOf, type SequenceOptions, shiVizOf } from './sequence.ts';
export { Story, type StoryProps } from './story.ts';
export type { ViewProps, Window } from './views.ts';
export { sentenceOf, summaryOf, timeText, voteSentence } from './words.ts';
