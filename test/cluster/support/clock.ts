/** Preloaded by a process whose wall clock is wrong: it stands, or it runs behind. */
const { CLOCK_STANDS_AT: standsAt, CLOCK_IS_OFF_BY: offBy = '0' } = process.env;
const real = Date.now.bind(Date);
const wrong = (): number => (standsAt === undefined ? real() + Number(offBy) : Number(standsAt));
const shift = wrong() - real();
Date.now = wrong;
Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + shift });
