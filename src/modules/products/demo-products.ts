import type { ProductDraft } from "./product.ts";

/** The same in every shop: of two processes that seed one at the same moment, the second finds its ids taken. */
export const demoId = (index: number): string => `01900000-0000-7000-8000-${String(index + 1).padStart(12, "0")}`;

/** What a shop that has just been opened for a look around sells; one product is nearly gone, so that orders for it can fail. */
export const DEMO_PRODUCTS: readonly ProductDraft[] = [
  demo("Fountain pen", "Brass body, steel nib, fills from a bottle.", 4_900, 60),
  demo("Dotted notebook", "A5, 160 pages that lie flat.", 1_450, 400),
  demo("Desk lamp", "Warm to cold white, dims down to a glow.", 7_995, 45),
  demo("Pour-over kettle", "0.9 litres, with a thermometer in the lid.", 5_400, 38),
  demo("Coffee beans", "500 g, medium roast, from one farm in Huila.", 1_690, 250),
  demo("Ceramic mug", "Hand-thrown, no two are quite the same.", 2_200, 120),
  demo("Wool blanket", "130 × 190 cm, undyed.", 11_900, 24),
  demo("Mechanical keyboard", "Tenkeyless, with quiet switches.", 12_900, 75),
  demo("Noise-cancelling headphones", "Thirty hours on one charge.", 24_900, 30),
  demo("Folding bicycle", "Three gears, 11 kg, fits under a desk.", 109_900, 8),
  demo("Signed first edition", "There are two left, and there will be no more.", 35_000, 2),
  demo("Vienna city map", "1 : 15,000, sold in euros.", 990, 500, "EUR"),
];

function demo(name: string, description: string, price_cents: number, stock: number, currency = "USD"): ProductDraft {
  return { name, description, price_cents, currency, stock };
}
