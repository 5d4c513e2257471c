/**
 * Makes the list of protocols whole. From sources it is so already: the built page, whose first
 * part has a shorter list, has another module in place of this one (`parts.ts`).
 */
export const completeRegistry = (): void => undefined;
