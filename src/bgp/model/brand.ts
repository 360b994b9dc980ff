/** Numbers that must not mix: a brand lives in the type alone and costs nothing at run time. */

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
