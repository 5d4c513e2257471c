/** Something in the sources of the site that cannot stand: a sentence that says what to do. */
export class SiteError extends Error {
  override name = 'SiteError';
}
