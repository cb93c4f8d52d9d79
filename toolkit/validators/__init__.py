"""Rules for values, for models, content files, importers and forms alike, in Django's words.

A validator is called with a value, and raises ``toolkit.errors.ValidationError`` or does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.validators.addresses import (
        DomainNameValidator,
        EmailValidator,
        URLValidator,
        validate_domain_name,
        validate_email,
        validate_ipv4_address,
        validate_ipv6_address,
        validate_ipv46_address,
    )
    from toolkit.validators.base import Validator
    from toolkit.validators.files import FileExtensionValidator, validate_image_file_extension
    from toolkit.validators.limits import (
        BaseValidator,
        DecimalValidator,
        MaxLengthValidator,
        MaxValueValidator,
        MinLengthValidator,
        MinValueValidator,
        StepValueValidator,
    )
    from toolkit.validators.text import (
        ProhibitNullCharactersValidator,
        RegexValidator,
        SlugValidator,
        int_list_validator,
        validate_comma_separated_integer_list,
        validate_integer,
        validate_slug,
        validate_unicode_slug,
    )

__all__ = [
    "BaseValidator",
    "DecimalValidator",
    "DomainNameValidator",
    "EmailValidator",
    "FileExtensionValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "ProhibitNullCharactersValidator",
    "RegexValidator",
    "SlugValidator",
    "StepValueValidator",
    "URLValidator",
    "Validator",
    "int_list_validator",
    "validate_comma_separated_integer_list",
    "validate_domain_name",
    "validate_email",
    "validate_image_file_extension",
    "validate_integer",
    "validate_ipv46_address",
    "validate_ipv4_address",
    "validate_ipv6_address",
    "validate_slug",
    "validate_unicode_slug",
]

__getattr__ = names_from(
    __name__,
    {
        "addresses": [
            "DomainNameValidator",
            "EmailValidator",
            "URLValidator",
            "validate_domain_name",
            "validate_email",
            "validate_ipv46_address",
            "validate_ipv4_address",
            "validate_ipv6_address",
        ],
        "base": ["Validator"],
        "files": ["FileExtensionValidator", "validate_image_file_extension"],
        "limits": [
            "BaseValidator",
            "DecimalValidator",
            "MaxLengthValidator",
            "MaxValueValidator",
            "MinLengthValidator",
            "MinValueValidator",
            "StepValueValidator",
        ],
        "text": [
            "ProhibitNullCharactersValidator",
            "RegexValidator",
            "SlugValidator",
            "int_list_validator",
            "validate_comma_separated_integer_list",
            "validate_integer",
            "validate_slug",
            "validate_unicode_slug",
        ],
    },
)
