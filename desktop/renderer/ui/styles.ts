/**
 * Binds the class names of CSS modules: `css('row head')` looks each name up in the modules and keeps a name that none
 * of them has, such as `row` of styles/base.css.
 */
export const bindStyles =
  (...modules: readonly Readonly<Record<string, string>>[]) =>
  (names: string): string =>
    names
      .split(' ')
      .map((name) => modules.find((each) => name in each)?.[name] ?? name)
      .join(' ')
