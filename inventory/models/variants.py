"""What the database refuses of products and their variants."""

import pgtrigger

from backoffice.audit.triggers import LookingUpTrigger

ONE_LEVEL_OF_VARIANTS = LookingUpTrigger(
    name="one_level_of_variants",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    condition=pgtrigger.Condition("NEW.variant_of_id IS NOT NULL"),
    func="""
        -- The parent is locked, so that it does not become a variant itself meanwhile.
        PERFORM 1 FROM inventory_product p WHERE p.id = NEW.variant_of_id FOR SHARE;
        IF EXISTS (SELECT 1 FROM inventory_product p
                   WHERE p.id = NEW.variant_of_id AND p.variant_of_id IS NOT NULL)
           OR EXISTS (SELECT 1 FROM inventory_product p WHERE p.variant_of_id = NEW.id) THEN
            RAISE EXCEPTION 'A variant of "%" cannot have variants of its own.', NEW.sku USING
                ERRCODE = 'check_violation', CONSTRAINT = 'inventory_product_one_level_of_variants',
                TABLE = 'inventory_product';
        END IF;
        RETURN NEW;
    """,
)
