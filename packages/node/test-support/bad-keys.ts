/** Public keys that nobody may be known by. */

/** The points of small order: "signatures" by them can be made without any secret. */
const smallOrder: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
];

/** An honest key to which a point of order 8 was added. */
const torsioned = '1f4f580e73ac208f06760190e9edc6f5916775dabd9c1cdca393175c2d6d1083';

/** Every y below 19 in its second spelling, y + p, with both signs of x. */
function notCanonical(): string[] {
  return Array.from({ length: 38 }, (_, k) => {
    const first = (0xed + (k >> 1)).toString(16);
    return `${first}${'ff'.repeat(30)}${k % 2 === 0 ? '7f' : 'ff'}`;
  });
}

/** Each breaks a rule of admission, as 64 digits of hex. */
export const badKeys: readonly string[] = [...smallOrder, torsioned, ...notCanonical()];
