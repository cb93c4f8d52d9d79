"""Operations: the steps of a migration, each with what becomes of the models and what to do in the database."""
