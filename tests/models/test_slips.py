"""The mistakes that everybody makes once in ``models.py``: each is told by file and line, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import Problems, ToolkitError
from toolkit.testing import temporary_site

SLIPS = [
    ("a = models.ForeignKey('Other')", "ForeignKey needs on_delete=. .*models.CASCADE"),
    ("a = models.CharField(maxlength=5)", "CharField has no option 'maxlength'. Did you mean 'max_length'"),
    ("a = models.CharField('label', max_length=5)", "CharField: 'label' stands without .* Write verbose_name='label'"),
    ("a = models.DecimalField(9, 2)", "DecimalField: 9 stands without the name of an option. Write it as option=value"),
    ("a = models.CharField(max_length=5, db_collation='C')", "no option 'db_collation'. .*Collate"),
    ("a = models.IntegerField", "Slip.a is the class IntegerField, and no field. Write IntegerField()"),
    ("a = models.IntegerField(),", "Slip.a is a tuple, and no field. Remove the comma"),
    ("a = models.IntegerField(default='ten')", "Slip.a: default = 'ten': 'ten' is not a whole number"),
    ("a = models.DateTimeField(default=datetime(2026, 3, 1))", "default = .* has no time zone"),
    ("a = models.IntegerField(validators=abs)", "validators = <.*> is one, and no list. Write it in brackets"),
    ("a = models.ForeignKey(Plain, on_delete=models.CASCADE)", "refers to <class .*Plain'>, which is no model"),
    ("a = models.ForeignKey('Othr', on_delete=models.CASCADE)", "'Othr', which is no model .* 'press.Other'"),
    ("a = models.ManyToManyField('Other', on_delete=models.CASCADE)", "ManyToManyField has no option 'on_delete'"),
    (
        "a = models.GeneratedField(expression=models.F('n') * 2, output_field=models.IntegerField())",
        "Slip has no field 'n'",
    ),
    ("a = models.ImageField(width_field='widht')", "Slip.a: width_field = 'widht' is no field of the model"),
    (
        "b = models.TextField(); s = models.Search('b', language='langage')",
        "'langage' is neither a language nor a field",
    ),
    ("class Meta: database = 'archiv'", "Meta.database = 'archiv' is no database of this site"),
    ("class Meta: constraints = [models.UniqueConstraint(fields=['id'])]", "UniqueConstraint needs name="),
    ("class Meta: constraints = [models.CheckConstraint(check=Q(id=1), name='c')]", "'check'. .*called condition"),
    ("class Meta: constraints = models.UniqueConstraint(fields=['id'], name='u')", "constraints = .* is no list"),
    ("class Meta: ordering = ['-day']", "Slip.Meta.ordering: Slip has no field 'day'"),
    ("a = models.IntegerField(null='no')", "IntegerField: null = 'no'. It is True or False; a text counts as true"),
    (
        "a = models.DecimalField(max_digits='5')",
        "max_digits = '5'. It is a whole number; remove the",
    ),
    ("a = models.CharField(max_length=5, db_column=5)", "CharField: db_column = 5. A name is a text"),
    (
        "a = models.GeneratedField(expression='id', output_field=models.TextField)",
        "output_field = .* with brackets",
    ),
    ("a = models.ManyToManyField('Other', through=5)", "ManyToManyField: through = 5. It is a model, or its name"),
    ("a = models.ForeignKey('Other', models.CASCADE, related_name='a b')", "'a b'. It is the name of an attribute"),
    ("a = models.ForeignKey('Other', models.CASCADE, limit_choices_to='x')", "'x'. Write it as a Q"),
    ("pk = models.CompositePrimaryKey(['a', 'b'])", "CompositePrimaryKey: .* is no name. Write"),
    ("s = models.Search(['id'])", "Search.* that is no name of a field. Write Search"),
    ("objects = models.Manager", "Slip.objects is the class Manager, and no manager. Write Manager()"),
    ("objects = models.QuerySet", "Slip.objects is the class QuerySet, and no manager. Write QuerySet.as_manager()"),
    ("class Meta: indexes = [models.Index(fields='id', name='x')]", "Index: fields = 'id'. It is a list of names"),
    ("class Meta: indexes = [models.Index(fields=[1], name='x')]", "Index: fields = .1.. It is a list of names"),
    ("class Meta: indexes = ['id']", "Slip.Meta: indexes: 'id' is nothing that it takes. Such as models.Index"),
    ("class Meta: constraints = ['id']", "Slip.Meta: constraints: 'id' is nothing that it takes. Such as"),
    ("class Meta: constraints = [models.CheckConstraint(condition={'id': 1}, name='c')]", "{'id': 1}. Write it as a Q"),
    ("class Meta: ordering = [5]", "Slip.Meta: ordering: 5 is nothing that it takes. It takes names and expressions"),
    ("class Meta: get_latest_by = 5", "Slip.Meta: get_latest_by: 5 is nothing that it takes"),
    ("class Meta: db_table = 5", "Slip.Meta: db_table = 5 is no text"),
    (
        "a = models.FileField(upload_to=5)",
        "FileField: upload_to = 5. Give a folder, such as 'photos/%Y', or a function",
    ),
    ("a = models.ImageField(storage=['big'])", "ImageField: storage = .'big'.. Give a name of .storages., a Storage"),
    ("a = models.FileField(storage='bgi')", "press.Slip.a: there is no storage 'bgi'. Did you mean 'big'"),
    ("a = models.FileField(max_length=0)", "Slip.a: max_length = 0 is no length of a value"),
    ("a = models.FileField(default='../a.pdf')", "default = '../a.pdf': .* cannot be the name of a stored file"),
    ("a: models.IntegerField()", "Slip.a is an annotation, and no field. Write a = ..., with '='"),
    ("a = [models.IntegerField()]", "Slip.a is a list, and no field. Remove the brackets around it"),
    ("class meta: ordering = ['id']", "Slip.meta is no class Meta. Write 'class Meta:'"),
    ("Meta = {'ordering': ['id']}", "Slip.Meta is no class Meta"),
    ("DoesNotExist = models.IntegerField()", "a field cannot be called 'DoesNotExist'"),
    ("a = models.BooleanField(default='False')", "default = 'False'. Remove the quotes: a text counts as true"),
    ("a = models.DateField(auto_now=True, auto_now_add=True)", "Slip.a: auto_now and auto_now_add. Keep one"),
    ("a = models.IntegerField(error_messages='No')", "IntegerField: error_messages = 'No'. They are by code"),
    ("objects = models.Manager.from_queryset(5)()", "from_queryset.5.: that is no class of querysets"),
    ("class Meta: managed = 'no'", "managed = 'no'. It is True or False; a text counts as true"),
    ("class Meta: ordering = [models.F('day').desc()]", "Slip.Meta.ordering: Slip has no field 'day'"),
    ("class Meta: permissions = ['publish']", "permissions: 'publish' is nothing that it takes. It takes pairs"),
    ("class Meta: indexes = [models.Index]", "indexes: <class .* is nothing that it takes. Such as models.Index"),
    ("class Meta: constraints = [models.Index(fields=['id'], name='i')]", "constraints: .* is nothing that it takes"),
    (
        "class Meta: indexes = [models.UniqueConstraint(fields=['id'], name='i')]",
        "indexes: .* is nothing that it takes",
    ),
    ("class Meta: indexes = [models.Index(fields=['id', '-id'], name='i')]", "indexes: 'i' has 'id' twice. Remove one"),
    ("class Meta: indexes = [models.Index(fields=['id'], include=['b'], name='i')]", "indexes: Slip has no field 'b'"),
    (
        "class Meta: constraints = [models.CheckConstraint(condition=True, name='c')]",
        "condition = True. Write it as a Q",
    ),
    (
        "class Meta: constraints = [models.CheckConstraint(condition=models.F('id'), name='c')]",
        "press.Slip: F.'id'.: F.* is not a condition: it is not true or false",
    ),
    ("a = models.IntegerField(); a = 5", "Slip.a is a field, and something else of this name follows"),
    ("def __init__(self, **values): self.a = 5", "Slip.__init__.. does not call that of Model"),
    (
        "class Odd(models.Field):\n        def __init__(self): pass\n    a = Odd()",
        "Slip.a: Odd.__init__.. does not call that of Field",
    ),
    ("a = models.IntegerField(default=lambda row: 1)", "Slip.a: default = .* needs 'row', and is called without any"),
    ("a = models.IntegerField(validators=[None])", "validators has None, which is no function"),
    (
        "a = models.IntegerField(validators=[MinValueValidator])",
        "validators has the class MinValueValidator, .* brackets",
    ),
    (
        "a = models.CharField(max_length=5, verbose_name=5)",
        "CharField: verbose_name = 5. It is a text, or gettext_lazy",
    ),
    ("class Meta: verbose_name = ['a']", "Slip.Meta: verbose_name = .* is no text"),
    ("def save(self): super().save()", "Slip.save.. takes no options, .* Write def save.self, ..options."),
    ("class Meta: swappable = 'AUTH_USER_MODEL'", "unknown option 'swappable'. Models are not exchanged"),
]
MODELS = """
from datetime import datetime
from toolkit.validators import MinValueValidator
class Plain:
    pass

class Other(models.Model):
    name = models.CharField(max_length=5)

class Slip(models.Model):
    {slip}
"""


@pytest.mark.parametrize(("slip", "told"), SLIPS, ids=[slip for slip, _ in SLIPS])
def test_a_slip_is_told_by_file_and_line(tmp_path: Path, slip: str, told: str) -> None:
    with (
        pytest.raises(ToolkitError, match=rf"(?s)models\.py:1[34]: .*{told}"),
        temporary_site(tmp_path, models=MODELS.format(slip=slip), settings='storages.big = { folder = "big" }'),
    ):
        pass


def test_values_that_their_fields_can_never_hold_are_told_all_together(tmp_path: Path) -> None:
    models = """
    from decimal import Decimal
    from toolkit.models import CharField, DecimalField, FilePathField, ForeignKey, SmallIntegerField, TextChoices

    class Size(TextChoices):
        LARGE = "large"

    class Price(models.Model):
        code = CharField(max_length=3, default="abcdef")
        amount = DecimalField(max_digits=3, decimal_places=2, default=Decimal("100"))
        size = CharField(max_length=3, choices=Size)
        level = SmallIntegerField(choices=[("Low", [("1", "One"), (2, "Two")]), (99999, "High"), ("x", "None")])

    class Offer(models.Model):
        price = ForeignKey(Price, models.CASCADE, default="cheap")
        size = CharField(max_length=5, choices=[("", "any"), (None, "unknown"), *Size.choices], default="small")
        made = CharField(max_length=1, default=lambda: 1 / 0, choices=lambda: 1 / 0)
        list = FilePathField(path="lists", default="lists/not-there-yet.csv")
        left = FilePathField(max_length=1, path="lists", default="lists/a.csv")
    """
    with pytest.raises(Problems) as caught, temporary_site(tmp_path, models=models):
        pass
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (11, "Price.code: default = 'abcdef': the text has 6 characters; at most 3 are allowed"),
        (11, "Price.amount: default = Decimal('100'): 100 has more than 3 digits"),
        (11, "Price.size: the choice 'large' could never be taken: the text has 5 characters; at most 3 are allowed"),
        (11, "Price.level: the choice '1' could never be taken: the field makes 1 of it"),
        (11, "Price.level: the choice 99999 could never be taken: 99999 is out of bounds (-32768 to 32767)"),
        (11, "Price.level: the choice 'x' could never be taken: 'x' is not a whole number"),
        (17, "Offer.price: default = 'cheap': 'cheap' is not a whole number"),
        (17, "Offer.left: default = 'lists/a.csv': the text has 11 characters; at most 1 is allowed"),
    ]


def test_a_second_model_of_one_name_does_not_hide_the_first(tmp_path: Path) -> None:
    models = "class Note(models.Model):\n    a = models.IntegerField()\n"
    with (
        pytest.raises(ToolkitError, match=r"models\.py:6: the model Note is declared twice; first on line 4"),
        temporary_site(tmp_path, models=models * 2),
    ):
        pass


def test_a_type_error_of_somebody_elses_stays_what_it_is(tmp_path: Path) -> None:
    models = """
    class Odd(models.IntegerField):
        def __init__(self, **options):
            super().__init__(**options)
            len(5)

    class Note(models.Model):
        a = Odd()
    """
    with pytest.raises(TypeError, match=r"has no len\(\)"), temporary_site(tmp_path, models=models):
        pass
