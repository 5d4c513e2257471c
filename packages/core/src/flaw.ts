/** What a named wrong variant of a protocol does wrong: for people. */
export interface Flaw {
  /** Which rule is wrong, in one sentence. */
  readonly rule: string;
  /** Where the right rule is to be found: paper and section. */
  readonly paper: string;
  /** Its number in the bug gallery, docs/gallery.md, which several variants may share. */
  readonly gallery?: string;
}
